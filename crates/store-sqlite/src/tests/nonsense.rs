//! Nonsense in any column of any table: one pipeline is parked or deals with it, the other is delivered.
//!
//! Lessons A7 (one bad row made every call and every start fail until the whole store was wiped), and what the issue
//! asks of a poisoned row. The tables and columns are read from the database, so that a new one is tried as well.

use std::{sync::Arc, time::Duration};

use domain::{id::PipelineId, name::ProjectKey, pipeline::PipelineStateTag};
use ports::{Clock as _, Store as _};
use rusqlite::Connection;
use testkit::world::{Script, TestEnv, definitions};
use tokio::task::LocalSet;

use crate::{SqliteStore, error::Doing as _};

/// How time passes: a lease, a backoff and a hold of a breaker end within one step, the eight hours of a pipeline not.
const TIME_STEP: Duration = Duration::from_mins(10);

/// A column, and a value that no version ever wrote there.
#[derive(Clone, Debug)]
struct Wound {
    table: String,
    column: String,
    value: &'static str,
}

/// What the victim was doing when the process died and its row was damaged.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// Its agent is at work: a job under a lease, an open run, a timer.
    AtWork,
    /// A person is asked.
    Asked,
    /// It holds the merge lease, with verdicts behind it.
    Merging,
}

/// Every column of every table, with what its type allows.
fn wounds(connection: &Connection) -> Vec<Wound> {
    let mut columns = connection
        .prepare(
            "SELECT m.name, c.name, c.type FROM sqlite_schema AS m, pragma_table_info(m.name) AS c
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid",
        )
        .unwrap();
    let rows = columns
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?)))
        .unwrap();
    let mut wounds = Vec::new();
    for row in rows {
        let (table, column, kind): (String, String, String) = row.unwrap();
        let values: &[&str] = match kind.as_str() {
            "INTEGER" => &["-7", "9223372036854775807", "NULL"],
            _ => &[
                "'nonsense'",
                "''",
                "'{\"version\":9,\"value\":7}'",
                "CAST(x'ff' AS TEXT)",
                "NULL",
            ],
        };
        wounds.extend(values.iter().map(|value| Wound {
            table: table.clone(),
            column: column.clone(),
            value,
        }));
    }
    wounds
}

/// What becomes of a change.
#[derive(Clone, Copy, Debug)]
enum End {
    Kept,
    TakenBack,
}

/// Changes one row of the victim, past every check. Says whether SQLite can hold such a row at all.
fn wound(connection: &Connection, victim: PipelineId, wound: &Wound, end: End) -> bool {
    let Wound { table, column, value } = wound;
    let of_victim = match table.as_str() {
        "projects" => "key = (SELECT project FROM pipelines WHERE id = ?1)".to_owned(),
        "definitions" => "hash = (SELECT definition FROM pipelines WHERE id = ?1)".to_owned(),
        "pipelines" => "id = ?1".to_owned(),
        // The newest of them.
        "inputs" => "key = (SELECT max(key) FROM inputs WHERE pipeline = ?1)".to_owned(),
        "timers" => "pipeline = ?1 AND timer = (SELECT max(timer) FROM timers WHERE pipeline = ?1)"
            .to_owned(),
        "events" => "seq = (SELECT max(seq) FROM events WHERE pipeline = ?1)".to_owned(),
        "damage" | "merge_leases" => "pipeline = ?1".to_owned(),
        "jobs" => {
            "id = (SELECT max(id) FROM jobs WHERE pipeline = ?1 AND state IN ('queued', 'running'))"
                .to_owned()
        }
        // A table with an id and a pipeline; what belongs to no pipeline damages none.
        other => format!("rowid = (SELECT max(rowid) FROM {other} WHERE pipeline = ?1)"),
    };
    connection
        .execute_batch(
            "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;
             BEGIN; DROP TRIGGER IF EXISTS events_are_not_changed",
        )
        .unwrap();
    let sql = format!("UPDATE {table} SET {column} = {value} WHERE {of_victim}");
    let changed = connection.execute(&sql, [victim.to_string()]);
    connection
        .execute_batch(match end {
            End::Kept => "COMMIT",
            End::TakenBack => "ROLLBACK",
        })
        .unwrap();
    connection
        .execute_batch("PRAGMA foreign_keys = ON; PRAGMA ignore_check_constraints = OFF")
        .unwrap();
    matches!(changed, Ok(1))
}

/// Two projects, with definitions of their own; the victim is at its moment, and the process has died.
async fn scene(moment: Moment) -> (TestEnv, Arc<SqliteStore>, PipelineId, PipelineId) {
    let store = Arc::new(SqliteStore::in_memory().unwrap());
    let mut definition = match moment {
        Moment::AtWork | Moment::Merging => definitions::build_and_ship(),
        Moment::Asked => definitions::build_and_ask(),
    };
    definition.limits.wall_time = Some(Duration::from_hours(8));
    let mut env = TestEnv::on(Arc::clone(&store) as _).await.with_definition(definition);
    if matches!(moment, Moment::AtWork) {
        env.world.sandbox.next_plays(Script::waits());
    } else {
        env.world.sandbox.next_plays(Script::writes("flag.rs", "a flag"));
    }
    if matches!(moment, Moment::Merging) {
        env.world.gates.hold("mergeable");
    }
    let victim = env.start("Add a flag").await;
    env.work();
    match moment {
        Moment::AtWork => {
            env.until("the agent is at work", async |world| world.sandbox.launches() == 1).await;
        }
        Moment::Asked => {
            env.until("a person is asked", async |world| {
                world.state(victim).await == PipelineStateTag::AwaitingHuman
            })
            .await;
        }
        Moment::Merging => {
            env.until("the merge is judged", async |world| {
                world.gates.times_asked("mergeable") == 1
            })
            .await;
        }
    }
    env.crash().await;
    let other = ProjectKey::new("XX").unwrap();
    env.found_project(&other).await;
    env.project = other;
    let mut definition = definitions::build_and_ship();
    definition.description = "Another one.".to_owned();
    let env = env.with_definition(definition);
    env.world.gates.release("mergeable");
    env.world.sandbox.next_plays(Script::writes("other.rs", "another flag"));
    let other = env.start("Add another flag").await;
    (env, store, victim, other)
}

/// The wounds that a row of the victim can have at that moment: tried in one scene, since a scene for each takes longer than
/// all the rest.
async fn possible_wounds(moment: Moment) -> Vec<Wound> {
    let (_env, store, victim, _) = scene(moment).await;
    let find = move |connection: &Connection| {
        let mut wounds = wounds(connection);
        assert!(wounds.len() > 200, "{} columns and values", wounds.len());
        wounds.retain(|it| wound(connection, victim, it, End::TakenBack));
        Ok(wounds)
    };
    store.read(find).await.unwrap()
}

async fn nonsense_parks_one_pipeline_and_nothing_else(moment: Moment) {
    let (mut tried, mut failed) = (0, Vec::new());
    for it in possible_wounds(moment).await {
        // A task of its own, so that a panic names the wound.
        let attempts = LocalSet::new();
        let trying = attempts.spawn_local(try_wound(moment, it.clone()));
        match attempts.run_until(trying).await {
            Ok(Ok(())) => tried += 1,
            Ok(Err(what)) => failed.push(format!("{it:?}: {what}")),
            Err(panic) => failed.push(format!("{it:?}: {panic}")),
        }
    }
    assert!(failed.is_empty(), "{moment:?}:\n{}", failed.join("\n"));
    assert!(tried > 100, "{moment:?}: {tried} columns and values could be damaged");
}

/// Tries one wound. The error says what it did that it must not.
async fn try_wound(moment: Moment, it: Wound) -> Result<(), String> {
    let (mut env, store, victim, other) = scene(moment).await;
    let table = it.table.clone();
    let wound = move |connection: &Connection| Ok(wound(connection, victim, &it, End::Kept));
    assert!(store.read(wound).await.unwrap(), "a scene is like the other");
    env.work();
    if let Err(error) = env.rest_as_time_passes(TIME_STEP).await {
        return Err(format!("the engine ends with {error:?}"));
    }
    if env.world.state(other).await != PipelineStateTag::Succeeded {
        return Err("the other pipeline is not delivered".to_owned());
    }
    silence(&env, &store, victim, &table).await
}

/// The victim has ended, waits for a person, or is named with the table that is damaged. It never just stays.
async fn silence(
    env: &TestEnv,
    store: &SqliteStore,
    victim: PipelineId,
    table: &str,
) -> Result<(), String> {
    let now = env.world.clock.now();
    let mut damage = store.find_damage(None, now).await.unwrap();
    damage.extend(store.find_damage(Some(victim), now).await.unwrap());
    if damage.iter().any(|row| row.table == table) {
        return Ok(());
    }
    if let Some(other) = damage.first() {
        return Err(format!("{} is named for it: {}", other.table, other.what));
    }
    let state = env.world.state(victim).await;
    let asks = env.world.question(victim).await.is_some();
    if state == PipelineStateTag::Succeeded || asks {
        Ok(())
    } else {
        Err(format!("it is {state}, and nobody is told"))
    }
}

#[tokio::test]
async fn nonsense_while_an_agent_is_at_work_parks_one_pipeline_and_nothing_else() {
    nonsense_parks_one_pipeline_and_nothing_else(Moment::AtWork).await;
}

#[tokio::test]
async fn nonsense_while_a_person_is_asked_parks_one_pipeline_and_nothing_else() {
    nonsense_parks_one_pipeline_and_nothing_else(Moment::Asked).await;
}

#[tokio::test]
async fn nonsense_while_a_merge_is_judged_parks_one_pipeline_and_nothing_else() {
    nonsense_parks_one_pipeline_and_nothing_else(Moment::Merging).await;
}

/// A row that was mended lets its pipeline go on where it was.
#[tokio::test]
async fn a_mended_pipeline_goes_on() {
    let (mut env, store, victim, _) = scene(Moment::Merging).await;
    let set = |document: &'static str| {
        let store = Arc::clone(&store);
        async move {
            let set = move |connection: &Connection| {
                connection.execute(document, []).doing("change a row").map(drop)
            };
            store.write(set).await.unwrap();
        }
    };
    set("UPDATE pipelines SET document = 'x' || document WHERE project = 'ET'").await;
    env.work_to_rest().await;
    let damage = store.find_damage(None, env.world.clock.now()).await.unwrap();
    assert_eq!(damage.len(), 1, "{damage:?}");
    assert_eq!((damage[0].table.as_str(), &damage[0].pipeline), ("pipelines", &victim.to_string()));
    set("UPDATE pipelines SET document = substr(document, 2) WHERE project = 'ET'").await;
    env.work_to_rest().await;
    assert_eq!(env.world.state(victim).await, PipelineStateTag::Succeeded);
    env.world.check(victim).await;
}

/// A damaged question does not keep its pipeline from being given up.
#[tokio::test]
async fn a_pipeline_with_a_damaged_question_can_be_cancelled() {
    use domain::pipeline::Input;
    let (env, store, victim, _) = scene(Moment::Asked).await;
    let damage = |connection: &Connection| {
        connection.execute("UPDATE decisions SET document = 'x'", []).doing("damage").map(drop)
    };
    store.write(damage).await.unwrap();
    let cancel = Input::Cancel { reason: "it is damaged".to_owned() };
    let _moved = env.engine().ask(victim, &cancel, "ann").await.unwrap();
    assert_eq!(env.world.state(victim).await, PipelineStateTag::Cancelled);
}
