//! The model keeps to the contract itself.

use super::ModelStore;

crate::store_conformance!((ModelStore::default(), ()));
