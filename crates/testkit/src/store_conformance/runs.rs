//! Runs of agents, and the verdicts of gates.

use domain::{
    failure::{Failure, FailureClass},
    job::JobInput,
    run::{Run, RunOutcome},
    verdict::VerdictOutcome,
};
use ports::{Applied, Step, Store};

use super::fixtures::{
    agent_job, at, claim, claimed, completed, done, gate, pipeline, queue, run, step, tree, update,
    verdict,
};

fn ended(run: &Run) -> Run {
    let failure = Failure::new(FailureClass::Resource, "it was silent for 5 min");
    Run {
        ended_at: Some(at(9)),
        session: Some("s-1".to_owned()),
        outcome: Some(RunOutcome::Failed { failure }),
        ..run.clone()
    }
}

pub async fn a_run_is_remembered_as_it_changes(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let job = agent_job(&made, 1, "claude");
    assert!(!store.save_run(&run(&job, 1), 1).await.unwrap(), "a run belongs to a job");
    queue(store, &made, vec![job.clone()]).await;
    let launched = run(&job, 1);
    assert!(!store.save_run(&launched, 0).await.unwrap(), "nobody has the job");
    let held = claimed(store, &claim(at(0))).await.remove(0);
    assert!(store.save_run(&launched, held.claims).await.unwrap());
    assert_eq!(store.find_run(launched.id).await.unwrap(), Some(launched.clone()));
    assert!(store.save_run(&ended(&launched), held.claims).await.unwrap());
    assert_eq!(store.find_run(launched.id).await.unwrap(), Some(ended(&launched)));
    assert_eq!(store.list_runs(made.id).await.unwrap(), [ended(&launched)]);
}

pub async fn the_open_run_of_a_job_is_its_newest_that_has_not_ended(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let (job, other) = (agent_job(&made, 1, "claude"), agent_job(&made, 2, "claude"));
    queue(store, &made, vec![job.clone(), other.clone()]).await;
    assert_eq!(store.find_open_run(job.id).await.unwrap(), None);
    let held = claimed(store, &claim(at(0))).await;
    let newest = Run { launched_at: at(8), ..run(&job, 1) };
    let older = run(&job, 2);
    let oldest = Run { launched_at: at(1), ..run(&job, 3) };
    for run in [&newest, &older, &oldest, &run(&other, 4)] {
        assert!(store.save_run(run, 1).await.unwrap());
    }
    assert_eq!(store.find_open_run(job.id).await.unwrap().as_ref(), Some(&newest));
    assert_eq!(store.list_orphaned_runs().await.unwrap(), [], "their jobs are under way");
    for held in held {
        assert_eq!(
            store.list_orphaned_runs().await.unwrap().len(),
            3 * usize::from(held.id == other.id)
        );
        assert!(store.settle_job(&completed(&held)).await.unwrap());
    }
    let orphaned = [oldest.clone(), older.clone(), newest.clone(), run(&other, 4)];
    assert_eq!(store.list_orphaned_runs().await.unwrap(), orphaned, "job by job, the oldest first");
    assert!(store.settle_run(&ended(&newest)).await.unwrap());
    assert_eq!(store.find_open_run(job.id).await.unwrap().as_ref(), Some(&older));
    assert_eq!(
        store.list_orphaned_runs().await.unwrap().len(),
        3,
        "those that have ended are not open"
    );
    let launched: Vec<_> =
        store.list_runs(made.id).await.unwrap().iter().map(|run| run.launched_at).collect();
    assert_eq!(launched, [at(1), at(3), at(3), at(8)], "the oldest first");
}

/// Whoever stops an agent and whoever follows it may both be about to end its run.
pub async fn the_end_of_a_run_is_written_once(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let moved = queue(store, &made, vec![agent_job(&made, 1, "claude")]).await;
    let held = claimed(store, &claim(at(0))).await.remove(0);
    let launched = run(&held, 1);
    assert!(store.save_run(&launched, held.claims).await.unwrap());
    assert!(
        !store.settle_run(&ended(&launched)).await.unwrap(),
        "it ends with the report of its job"
    );
    assert!(store.settle_job(&completed(&held)).await.unwrap());
    assert!(!store.settle_run(&ended(&run(&held, 2))).await.unwrap(), "it was never launched");
    assert_eq!(store.find_run(run(&held, 2).id).await.unwrap(), None);
    let salvaged = Run { salvages: 1, ..launched.clone() };
    assert!(store.settle_run(&salvaged).await.unwrap(), "it has not ended");
    assert_eq!(store.find_run(launched.id).await.unwrap(), Some(salvaged));
    assert!(store.settle_run(&ended(&launched)).await.unwrap());
    let again = Run { ended_at: Some(at(10)), outcome: None, ..ended(&launched) };
    assert!(!store.settle_run(&again).await.unwrap());
    done(store, Step { runs: vec![launched.clone()], ..step(&moved) }).await;
    assert_eq!(store.find_run(launched.id).await.unwrap(), Some(ended(&launched)));
}

/// Whoever was slow for longer than its lease neither starts anything for the job that it had, nor takes back what it
/// has learned of its run since (F7).
pub async fn a_run_is_recorded_by_whoever_has_its_job(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    queue(store, &made, vec![agent_job(&made, 1, "claude")]).await;
    let slow = claimed(store, &claim(at(0))).await.remove(0);
    assert!(store.save_run(&run(&slow, 1), slow.claims).await.unwrap());
    let expired = update(&slow, &JobInput::Expire, at(60));
    assert!(store.settle_job(&expired).await.unwrap());
    assert!(!store.save_run(&run(&slow, 2), slow.claims).await.unwrap(), "nobody has it");
    let next = claimed(store, &claim(at(600))).await.remove(0);
    let known = Run { session: Some("s-2".to_owned()), ..run(&next, 1) };
    assert!(store.save_run(&known, next.claims).await.unwrap());
    for late in [run(&slow, 1), run(&slow, 2), ended(&run(&slow, 1))] {
        assert!(!store.save_run(&late, slow.claims).await.unwrap(), "somebody else has it");
        assert!(!store.settle_run(&late).await.unwrap(), "it goes on");
    }
    assert_eq!(store.find_run(known.id).await.unwrap().as_ref(), Some(&known));
    assert_eq!(store.list_runs(made.id).await.unwrap().len(), 1);
    assert!(store.settle_job(&completed(&next)).await.unwrap());
    assert!(!store.save_run(&run(&next, 3), next.claims).await.unwrap(), "it has ended");
    assert_eq!(store.list_runs(made.id).await.unwrap(), [known]);
}

pub async fn the_end_of_a_run_is_written_with_its_step_or_not_at_all(store: &dyn Store) {
    let made = pipeline(store, 1, "ET").await;
    let moved = queue(store, &made, vec![agent_job(&made, 1, "claude")]).await;
    let held = claimed(store, &claim(at(0))).await.remove(0);
    let launched = run(&held, 1);
    assert!(store.save_run(&launched, held.claims).await.unwrap());
    let stale = Step { runs: vec![ended(&launched)], input: "late".to_owned(), ..step(&made) };
    assert_eq!(store.apply(&stale).await.unwrap(), Applied::Stale);
    assert_eq!(store.find_run(launched.id).await.unwrap(), Some(launched.clone()));
    done(store, Step { runs: vec![ended(&launched)], ..step(&moved) }).await;
    assert_eq!(store.find_run(launched.id).await.unwrap(), Some(ended(&launched)));
}

pub async fn the_newest_verdict_about_a_tree_counts(store: &dyn Store) {
    let (one, two) = (pipeline(store, 1, "ET").await, pipeline(store, 2, "ET").await);
    let given = [
        verdict("tests", 'a', VerdictOutcome::Fail),
        verdict("tests", 'b', VerdictOutcome::Error),
        verdict("lint", 'a', VerdictOutcome::Waived),
        verdict("tests", 'a', VerdictOutcome::Pass),
    ];
    let moved = done(store, Step { verdicts: given[..2].to_vec(), ..step(&one) }).await;
    done(store, Step { verdicts: given[2..].to_vec(), ..step(&moved) }).await;
    done(store, Step { verdicts: vec![verdict("tests", 'a', VerdictOutcome::Fail)], ..step(&two) })
        .await;
    assert_eq!(store.list_verdicts(one.id).await.unwrap(), given);
    let newest = store.find_verdict(one.id, &gate("tests"), &tree('a')).await.unwrap();
    assert_eq!(newest.as_ref(), Some(&given[3]));
    assert_eq!(store.find_verdict(one.id, &gate("tests"), &tree('c')).await.unwrap(), None);
    assert_eq!(store.find_verdict(two.id, &gate("lint"), &tree('a')).await.unwrap(), None);
}
