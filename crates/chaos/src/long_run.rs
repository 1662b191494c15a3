//! One long run of an agent under many orchestrators.

use std::{fs, thread, time::Duration};

use camino::Utf8PathBuf;
use serde_json::Value;
use testkit::{
    gatewright::{Gatewright, Rings, Running},
    repository::Repository,
};

use crate::Report;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct LongRun {
    /// The binary.
    pub program: String,
    /// How long the agent works.
    pub seconds: u32,
    /// How often its orchestrator is replaced.
    pub restarts: u32,
}

struct Site {
    gatewright: Gatewright,
    repository: Repository,
    launches: Rings,
    program: Utf8PathBuf,
}

impl LongRun {
    /// Lets an agent say a line a second, replaces its orchestrator again and again - killed, drained, upgraded to
    /// another file with the old one gone - and compares what was said with what was kept.
    ///
    /// # Panics
    /// Where the machine refuses what a test needs, or an orchestrator does not end.
    #[must_use]
    pub fn run(&self) -> Report {
        let mut site = self.prepare();
        let arguments = ["run", "Add a file", "--merge", "--json"];
        let mut running = site.gatewright.start(site.repository.path(), &arguments);
        drop(site.launches.next());
        let (mut kills, mut drains, mut upgrades) = (0, 0, 0);
        let pause = Duration::from_secs(u64::from(self.seconds / (self.restarts + 1)));
        for number in 1..=self.restarts {
            thread::sleep(pause);
            if number % 2 == 0 {
                running.signal("TERM");
                drains += 1;
            } else {
                running.kill();
                kills += 1;
            }
            drop(running.finish());
            if number % 3 == 0 {
                self.upgrade(&mut site, number);
                upgrades += 1;
            }
            running = site
                .gatewright
                .start(site.repository.path(), &["run", "--resume", "all", "--json"]);
        }
        let mut report = Report::new("one agent, many orchestrators".to_owned());
        report.row("seconds that the agent works", &self.seconds);
        report.row("orchestrators killed", &kills);
        report.row("orchestrators drained", &drains);
        report.row("upgrades to another file", &upgrades);
        self.judge(&site, &wait_for(running), &mut report);
        report
    }

    fn prepare(&self) -> Site {
        let mut gatewright = Gatewright::new(&self.program);
        let launches = gatewright.bell("launches");
        gatewright.configure_agent(&format!(
            "echo $GATEWRIGHT_RUN > {}; number=0
             while [ $number -lt {} ]; do number=$((number + 1)); echo line $number; sleep 1; done
             echo new > new.txt",
            launches.path(),
            self.seconds
        ));
        let program = copy(&self.program, &gatewright, 0);
        gatewright.upgrade(program.as_str());
        Site { gatewright, repository: Repository::greet(), launches: launches.listen(), program }
    }

    fn upgrade(&self, site: &mut Site, number: u32) {
        fs::remove_file(&site.program).expect("a copy can be removed");
        site.program = copy(&self.program, &site.gatewright, number);
        site.gatewright.upgrade(site.program.as_str());
    }

    fn judge(&self, site: &Site, status: &Value, report: &mut Report) {
        let call = |arguments: &[&str]| site.gatewright.run(site.repository.path(), arguments);
        let shown = call(&["pipeline", "show", "IT-001", "--json"]).json();
        let runs = shown["runs"].as_array().map_or(0, Vec::len);
        let launched = 1 + site.launches.heard().len();
        let expected: Vec<String> =
            (1..=self.seconds).map(|number| format!("line {number}")).collect();
        let raw = call(&["logs", "IT-001", "--raw"]).stdout;
        let events = call(&["logs", "IT-001"]).stdout;
        let kept = |text: &str| -> Vec<String> {
            text.lines()
                .filter_map(|line| line.find("line ").map(|at| line[at..].to_owned()))
                .collect()
        };
        report.row("agents launched", &launched);
        report.row("runs remembered", &runs);
        report.row("lines in the log", &kept(&raw).len());
        report.row("lines among the events", &kept(&events).len());
        let facts = [
            (status == "succeeded", "it was not delivered"),
            (launched == 1 && runs == 1, "it was more than one run"),
            (kept(&raw) == expected, "its log is not complete and in order"),
            (kept(&events) == expected, "its events are not complete and in order"),
        ];
        let broken = facts.iter().filter(|(holds, _)| !holds);
        report.violations.extend(broken.map(|(_, what)| (*what).to_owned()));
    }
}

fn copy(program: &str, gatewright: &Gatewright, number: u32) -> Utf8PathBuf {
    let to = gatewright.home().join(format!("gatewright-{number}"));
    fs::copy(program, &to).expect("a program can be copied");
    to
}

fn wait_for(running: Running) -> Value {
    running.finish().json()["status"].clone()
}
