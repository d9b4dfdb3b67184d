//! The answer of the policies, and how results add up to it.

use pathwarden_types::{ApprovalNeed, Containment, Obligation, RuleHit, Verdict};

use crate::result::Row;

/// What the policies say about one input. Made in the evaluation that decided, never afterwards.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use = "a judgement that is not enforced is a hole"]
pub struct Judgement {
    /// The most restrained verdict of all results.
    pub verdict: Verdict,
    /// Every rule that spoke, ordered by file, line and reason. Never empty.
    pub hits: Vec<RuleHit>,
    /// What must be done if the action is let through: sorted, no duplicates, not empty if any
    /// result constrains.
    pub obligations: Vec<Obligation>,
    /// Who must approve; only for a held action, and `None` there means anybody who may approve.
    pub approval: Option<ApprovalNeed>,
    /// Standing restrictions that rules order: sorted, no duplicates.
    pub containment: Vec<Containment>,
}

/// Why the engine itself refuses, whatever the rules say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refusal {
    NoRuleAllows,
    Undefined,
    Error,
    Budget,
    MalformedResult,
    MalformedInput,
    ConflictingApprovals,
}

impl Refusal {
    const fn rule(self) -> &'static str {
        match self {
            Self::NoRuleAllows => "engine.no_rule_allows",
            Self::Undefined => "engine.undefined",
            Self::Error => "engine.error",
            Self::Budget => "engine.budget",
            Self::MalformedResult => "engine.malformed_result",
            Self::MalformedInput => "engine.malformed_input",
            Self::ConflictingApprovals => "engine.conflicting_approvals",
        }
    }

    const fn advice(self) -> &'static str {
        match self {
            Self::NoRuleAllows => {
                "no policy provides for this kind of action; use another tool or tell the person \
                 that an operator would have to allow it"
            }
            Self::Undefined
            | Self::Error
            | Self::Budget
            | Self::MalformedResult
            | Self::ConflictingApprovals => {
                "the policy could not be evaluated; tell the person that an operator must look at it"
            }
            Self::MalformedInput => "send simpler arguments",
        }
    }
}

impl Judgement {
    /// A deny by the engine itself; `reason` is for the operator and holds no values of the input.
    pub(crate) fn refuse(refusal: Refusal, reason: impl Into<String>) -> Self {
        let hit = RuleHit {
            rule: refusal.rule().to_owned(),
            file: String::new(),
            line: 0,
            verdict: Verdict::Deny,
            reason: reason.into(),
            advice: refusal.advice().to_owned(),
        };
        Self {
            verdict: Verdict::Deny,
            hits: vec![hit],
            obligations: Vec::new(),
            approval: None,
            containment: Vec::new(),
        }
    }

    /// Adds results up. Nothing here can lower a verdict.
    pub(crate) fn of(rows: Vec<Row>) -> Self {
        let Some(verdict) = rows.iter().map(|row| row.hit.verdict).max() else {
            return Self::refuse(Refusal::NoRuleAllows, "no rule allows this action");
        };
        // To constrain is to restrict: what no rule allows is not allowed by a limit on it.
        let is_allowed = rows.iter().any(|row| row.hit.verdict == Verdict::Allow);
        if verdict == Verdict::Constrain && !is_allowed {
            return Self::refuse(
                Refusal::NoRuleAllows,
                "rules limit this action and none allows it",
            );
        }
        let mut sum = Self {
            verdict,
            hits: Vec::with_capacity(rows.len()),
            obligations: Vec::new(),
            approval: None,
            containment: Vec::new(),
        };
        let mut conflict = false;
        for row in rows {
            if verdict == Verdict::Hold {
                conflict |= !sum.add_approval(row.approval);
            }
            sum.hits.push(row.hit);
            sum.obligations.extend(row.obligations);
            sum.containment.extend(row.contain);
        }
        sum.sort();
        if conflict { sum.refuse_conflict() } else { sum }
    }

    /// Takes one more approval in: the shorter time counts. False when it names another role, for
    /// one person's answer cannot satisfy both.
    fn add_approval(&mut self, more: Option<ApprovalNeed>) -> bool {
        match (&mut self.approval, more) {
            (_, None) => true,
            (Some(had), Some(more)) => {
                had.within_ms = had.within_ms.min(more.within_ms);
                had.role == more.role
            }
            (none, more) => {
                *none = more;
                true
            }
        }
    }

    fn sort(&mut self) {
        self.hits.sort_by(|a, b| {
            (&a.file, a.line, &a.reason).cmp(&(&b.file, b.line, &b.reason)).then_with(|| a.cmp(b))
        });
        self.hits.dedup();
        self.obligations.sort();
        self.obligations.dedup();
        self.containment.sort();
        self.containment.dedup();
    }

    fn refuse_conflict(mut self) -> Self {
        let reason = "rules ask for the approval of different roles; let one rule ask for a role \
                      that stands for both";
        let refusal = Self::refuse(Refusal::ConflictingApprovals, reason);
        self.verdict = refusal.verdict;
        self.approval = None;
        self.hits.splice(0..0, refusal.hits);
        self
    }
}
