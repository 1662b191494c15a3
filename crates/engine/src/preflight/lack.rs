//! What this machine lacks, as a line of a file that other processes read.

use domain::name::AgentName;
use ports::Held;

use super::answers::Subject;

/// Something that this machine lacks, for which jobs wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// Whose jobs wait for it; without one it is everything that starts a process.
    pub agent: Option<AgentName>,
    /// What is lacking, on one line.
    pub problem: String,
}

impl Lack {
    /// The first word of the line of an agent; its name and a tab follow.
    const AGENT: &str = "agent ";

    pub(super) fn of(subject: &Subject, problem: &str) -> Self {
        let agent = match subject {
            Subject::Processes => None,
            Subject::Agent(name) => Some(name.clone()),
        };
        Self { agent, problem: problem.split_whitespace().collect::<Vec<_>>().join(" ") }
    }

    /// What a line says, if anything. Where nobody can tell whose it is, it is everybody's.
    #[must_use]
    pub fn of_line(line: &str) -> Option<Self> {
        let whose = line.strip_prefix(Self::AGENT).and_then(|rest| {
            let (name, problem) = rest.split_once('\t')?;
            Some((AgentName::new(name).ok()?, problem))
        });
        let (agent, problem) = whose.map_or((None, line), |(name, it)| (Some(name), it));
        let problem = problem.trim();
        (!problem.is_empty()).then(|| Self { agent, problem: problem.to_owned() })
    }

    pub(super) fn line(&self) -> String {
        match &self.agent {
            None => self.problem.clone(),
            Some(name) => format!("{}{name}\t{}", Self::AGENT, self.problem),
        }
    }

    /// What all of them keep in the queue.
    #[must_use]
    pub fn held(lacks: &[Self]) -> Held {
        Held {
            agents: lacks.iter().filter_map(|it| it.agent.clone()).collect(),
            processes: lacks.iter().any(|it| it.agent.is_none()),
        }
    }

    /// Whether it keeps a job that starts a process, for that agent or for none.
    #[must_use]
    pub fn holds(&self, agent: Option<&AgentName>) -> bool {
        self.agent.is_none() || self.agent.as_ref() == agent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_whose_it_is_and_is_everybodys_where_it_does_not() {
        let (fake, other) = (AgentName::new("fake").unwrap(), AgentName::new("other").unwrap());
        let of_agent = Lack::of(&Subject::Agent(fake.clone()), "it is\n\tgone");
        let of_all = Lack::of(&Subject::Processes, "agent programs\tneed memory");
        assert_eq!(of_agent.line(), "agent fake\tit is gone");
        for lack in [&of_agent, &of_all] {
            assert_eq!(Lack::of_line(&lack.line()).as_ref(), Some(lack));
            assert!(lack.holds(Some(&fake)));
        }
        assert!(of_all.holds(None) && of_all.holds(Some(&other)));
        assert!(!of_agent.holds(None) && !of_agent.holds(Some(&other)));
        let held = Lack::held(std::slice::from_ref(&of_agent));
        assert_eq!((held.processes, held.agents), (false, [fake].into()));
        assert!(Lack::held(&[of_agent, of_all]).processes);
        assert_eq!(Lack::of_line(" \t"), None);
        let odd = Lack::of_line("agent Not A Name\tgone").unwrap();
        assert_eq!((odd.agent, odd.problem.as_str()), (None, "agent Not A Name\tgone"));
    }
}
