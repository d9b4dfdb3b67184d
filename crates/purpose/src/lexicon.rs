//! The words: which act a verb or noun speaks of, apart for three speakers.
//!
//! A person who asks is vague (*"get me a watch"*), so the words of a task are many. A tool's name is
//! terse and chosen (`checkout`), so its words are few. Content that orders something is read with the
//! plain verbs of ordering, so that mere talk of a payment is no order to pay.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use crate::act::Act::{self, *};
use crate::act::Acts;

/// Words of one speaker for one act.
type Entry = (Act, &'static str);

/// Words with which a person asks for an act.
const ASKED: &[Entry] = &[
    (Look, "read look see find check show list search tell view count compare review"),
    (Visit, "visit read browse open go check look see find summarize summarise use follow click"),
    (
        Message,
        "send email mail message write reply respond answer forward tell notify inform contact text \
         dm remind ask report share let thank greet ping congratulate post say feedback announce \
         invite",
    ),
    (Publish, "publish post upload tweet announce broadcast blog share write put add update"),
    (
        Pay,
        "pay transfer send refund reimburse repay wire donate settle deposit remit compensate owe \
         split cover return bill payment rent transaction subscription invoice salary tip fee",
    ),
    (Buy, "buy purchase order rebuy reorder shop checkout basket cart get want need replace"),
    (Reserve, "book reserve reservation booking rent get order stay table"),
    (Refund, "refund return reimburse cancel rebuy"),
    (
        Create,
        "create make add new set schedule plan open register write generate draft organise organize \
         start build put book fill raise file log arrange prepare invite",
    ),
    (
        Save,
        "save store download export keep copy backup archive get find check read invoice attach send \
         see compare file sum upload",
    ),
    (
        Update,
        "update change modify edit adjust set reschedule move rename correct fix replace complete \
         mark add append extend insert increase decrease switch turn postpone assign label resolve",
    ),
    (
        Delete,
        "delete remove cancel clear drop erase unsubscribe revoke discard trash empty kick ban \
         uninstall except clean block stop",
    ),
    (Invite, "invite add join include assign onboard"),
    (Share, "share give send grant forward invite"),
    (Run, "run execute launch deploy build install start restart test call"),
    (
        Develop,
        "merge fork clone commit push pull star close approve review branch release tag issue \
         repository repo",
    ),
    (
        Submit,
        "submit enter fill apply register sign use claim get input visit activate subscribe vote",
    ),
    (Authenticate, "log login sign verify authenticate confirm account"),
];

/// Words of a tool's name or description.
const NAMED: &[Entry] = &[
    (
        Look,
        "get read list search find view show describe query lookup count calculate display retrieve \
         check see compute summarize inspect",
    ),
    (Visit, "visit browse fetch crawl scrape"),
    (Message, "send email mail message reply respond forward notify dm sms text chat comment"),
    (Publish, "post publish upload tweet announce broadcast blog"),
    (
        Pay,
        "pay transfer wire donate deposit money transaction payment fund withdraw charge debit payout \
         disburse",
    ),
    (Buy, "buy purchase order checkout cart basket"),
    (Reserve, "reserve book booking reservation"),
    (Refund, "refund return"),
    (Create, "create make add new set schedule register generate draft insert open"),
    (Save, "save download export copy backup archive store"),
    (
        Update,
        "update change modify edit set reschedule move rename replace append mark patch put write \
         configure enable disable assign",
    ),
    (
        Delete,
        "delete remove cancel clear drop erase revoke trash purge kick ban destroy wipe terminate \
         uninstall",
    ),
    (Invite, "invite join member participant collaborator attendee"),
    (Share, "share grant permit"),
    (Run, "run execute exec shell bash eval launch deploy install spawn"),
    (Develop, "merge fork clone commit push pull star approve close"),
    (Submit, "submit input fill form vote subscribe"),
    (Authenticate, "login signin logout verify authenticate confirm"),
];

/// Words of [`NAMED`] that say what a tool works on, and not what it does.
const THINGS: &str = "archive attendee basket booking cart chat collaborator comment dm email form fund \
    mail member message money new participant payment reservation sms text transaction";

/// Words that turn what follows into an order.
const LEADS: &str = "please kindly to must should shall could can would will may need and or then first \
    also you now just directly next finally instead immediately simply assistant be";

/// Words after which another form than the base form orders: *"is to be sent"*.
const PASSIVES: &str = "be";

/// Words that only a thing follows.
const DETERMINERS: &str = "a all an any both each every her his its my our some that the their these this \
    those your";

/// Verbs of [`ORDERED`] that are things as well: before a colon they label what follows.
const LABELS: &str = "access approve book check contact email enter fork forward mail mark message note \
    open plan post release reply report reserve return schedule share star text transfer type view visit";

/// Verbs of a person who leaves the choice to content: *"**do** all the tasks on my list"*.
const FOLLOWS: &str = "do follow complete carry execute fulfil fulfill handle act take finish implement \
    process";

/// What such a person names: *"do all the **tasks** on my list"*.
const LEFT_TO: &str =
    "action actions instruction instructions tasks todo todos request requests steps";

/// What a person says to be found in content: *"the **details** are in Bob's message"*.
const FOUND_IN: &str = "details information instructions specifics";

/// Verbs with which content orders an act.
const ORDERED: &[Entry] = &[
    (Look, "read look see check view search find list retrieve"),
    (Visit, "visit read browse open go check see click look follow access fetch load"),
    (
        Message,
        "send email mail message write reply respond forward tell notify inform contact text dm \
         share give report disclose reveal",
    ),
    (Publish, "publish post upload tweet announce write put send share"),
    (Pay, "pay transfer send wire donate deposit reimburse refund make move"),
    (Buy, "buy purchase checkout get add take"),
    (Reserve, "reserve book make get"),
    (Refund, "refund return cancel"),
    (Create, "create make add schedule set open register write generate book plan"),
    (Save, "save download store export copy"),
    (
        Update,
        "update change modify edit set adjust reschedule move rename replace append add mark write \
         put reset enable disable",
    ),
    (Delete, "delete remove cancel clear drop erase kick ban revoke wipe"),
    (Invite, "invite add join include"),
    (Share, "share give grant send"),
    (Run, "run execute launch deploy install start call invoke"),
    (Develop, "merge fork clone commit push pull star close approve"),
    (Submit, "enter submit fill input visit register sign go open provide give type"),
    (Authenticate, "login log sign verify confirm enter use"),
];

/// Forms that no rule of spelling gives.
const IRREGULAR: &[(&str, &str)] = &[
    ("bought", "buy"),
    ("gave", "give"),
    ("gone", "go"),
    ("kept", "keep"),
    ("made", "make"),
    ("paid", "pay"),
    ("sent", "send"),
    ("told", "tell"),
    ("went", "go"),
    ("written", "write"),
    ("wrote", "write"),
];

/// Words that begin a sentence without naming anybody, besides the words of [`ASKED`].
const STARTERS: &str = "i it its the a an please can could would will what when where who whom how why \
    which is are am do does did hey hi hello dear this that these those my your our we you he she they \
    his her their perform if in on at for and then after before note also per now once use some as to \
    from with by all any every each there here not no yes make sure today tomorrow yesterday";

/// A word to the acts it speaks of.
pub(crate) type Words = BTreeMap<&'static str, Acts>;

fn table(entries: &'static [Entry]) -> Words {
    let mut words = Words::new();
    for (act, list) in entries {
        for word in list.split_whitespace() {
            let acts = words.entry(word).or_default();
            *acts = acts.and(Acts::of(&[*act]));
        }
    }
    words
}

/// What a person asks with.
pub(crate) static ASKS: LazyLock<Words> = LazyLock::new(|| table(ASKED));
/// What tools are named with.
pub(crate) static NAMES: LazyLock<Words> = LazyLock::new(|| table(NAMED));
/// What content orders with.
pub(crate) static ORDERS: LazyLock<Words> = LazyLock::new(|| table(ORDERED));

/// A list of words, to be looked up.
struct List(LazyLock<BTreeSet<&'static str>>);

impl List {
    fn has(&self, word: &str) -> bool {
        self.0.contains(word)
    }
}

/// A list of words from the text that names them.
macro_rules! list {
    ($text:expr) => {
        List(LazyLock::new(|| $text.split_whitespace().collect()))
    };
}

static THING_LIST: List = list!(THINGS);
static LEAD_LIST: List = list!(LEADS);
static PASSIVE_LIST: List = list!(PASSIVES);
static DETERMINER_LIST: List = list!(DETERMINERS);
static LABEL_LIST: List = list!(LABELS);
static FOLLOW_LIST: List = list!(FOLLOWS);
static LEFT_TO_LIST: List = list!(LEFT_TO);
static FOUND_IN_LIST: List = list!(FOUND_IN);
static STARTER_LIST: List = list!(STARTERS);

/// Verbs of [`NAMED`] that are nothing but verbs.
const PLAIN_VERBS: &str = "send reply forward notify publish upload pay donate buy purchase create delete \
    remove cancel erase revoke purge destroy wipe terminate uninstall invite grant execute exec eval \
    launch deploy install spawn merge commit write append rename disable enable configure update";

/// Whether a word can only be a verb.
pub(crate) fn is_plain_verb(word: &str) -> bool {
    PLAIN_VERBS.split_whitespace().any(|verb| verb == word)
}

/// Whether a tool's name with this word says what the tool works on, not what it does.
pub(crate) fn is_thing(word: &str) -> bool {
    THING_LIST.has(word)
}

/// Whether the word turns what follows into an order.
pub(crate) fn is_lead(word: &str) -> bool {
    LEAD_LIST.has(word)
}

/// Whether after this word another form than the base form orders.
pub(crate) fn is_passive(word: &str) -> bool {
    PASSIVE_LIST.has(word)
}

/// Whether a thing follows this word.
pub(crate) fn is_determiner(word: &str) -> bool {
    DETERMINER_LIST.has(word)
}

/// Whether the verb labels something when a colon follows.
pub(crate) fn is_label(word: &str) -> bool {
    LABEL_LIST.has(word)
}

/// Whether the verb may leave the choice to content.
pub(crate) fn follows(word: &str) -> bool {
    FOLLOW_LIST.has(word)
}

/// Whether the noun is something that can be followed.
pub(crate) fn is_left_to(word: &str) -> bool {
    LEFT_TO_LIST.has(word)
}

/// Whether the noun is something that is found in content.
pub(crate) fn is_found_in(word: &str) -> bool {
    FOUND_IN_LIST.has(word)
}

/// The base form of an irregular one.
pub(crate) fn irregular(word: &str) -> Option<&'static str> {
    IRREGULAR.iter().find(|(form, _)| *form == word).map(|(_, base)| *base)
}

/// Whether a word with a capital names nobody.
pub(crate) fn is_starter(word: &str) -> bool {
    STARTER_LIST.has(word) || ASKS.contains_key(word)
}

#[cfg(test)]
mod tests {
    use super::{ASKED, Act, NAMED, ORDERED};

    #[test]
    fn every_speaker_has_words_for_every_act() {
        for list in [ASKED, NAMED, ORDERED] {
            let acts: Vec<Act> = list.iter().map(|(act, _)| *act).collect();
            assert_eq!(acts, Act::ALL);
        }
    }
}
