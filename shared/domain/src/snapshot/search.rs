//! Finds learners by words of their name or e-mail address, and courses by words of their title.

use uuid::Uuid;

use super::name_order::{NameOrder, NamePage, Person};
use super::schema::SchemaCourse;
use super::{Dictionary, Property, Snapshot, Source, TextColumn};
use crate::base::text::fold;

/// The number of characters of a query that are used.
pub const MAX_QUERY: usize = 200;
/// The number of words of a query that are used.
pub const MAX_WORDS: usize = 16;

/// The text that a user typed, prepared for the search.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// The whole text, folded.
    folded: Option<String>,
    /// Its words, folded and distinct.
    words: Vec<String>,
    /// The text as a GUID, if it is one.
    id: Option<Uuid>,
}

impl Query {
    /// Parses the text; anything beyond [`MAX_QUERY`] characters or [`MAX_WORDS`] words is ignored.
    pub fn new(text: &str) -> Self {
        let text: String = text.chars().take(MAX_QUERY).collect();
        let mut words: Vec<String> = Vec::new();
        // Many directories write names as "Lovelace, Ada".
        let typed = text.split(|char: char| char.is_whitespace() || ",;".contains(char));
        for word in typed.filter_map(fold) {
            if words.len() < MAX_WORDS && !words.contains(&word) {
                words.push(word);
            }
        }
        Self {
            folded: fold(&text),
            words,
            id: Uuid::try_parse(text.trim()).ok(),
        }
    }
}

/// Decides which learners of a snapshot match a query. Every distinct name and address is checked
/// once, so that each learner costs only two lookups.
pub struct Matcher<'a> {
    snapshot: &'a Snapshot,
    /// The words that each name matches as bits, by code.
    names: Vec<u16>,
    /// The words that each address matches as bits, by code.
    emails: Vec<u16>,
    /// The bits of all words.
    every: u16,
    /// True for addresses that equal the whole query, by code.
    exact: Vec<bool>,
    id: Option<Uuid>,
}

impl<'a> Matcher<'a> {
    /// Prepares a query for a snapshot.
    pub fn new(snapshot: &'a Snapshot, query: &Query) -> Self {
        let (mut names, mut emails) = (Vec::new(), Vec::new());
        let mut exact = Vec::new();
        if let Some(column) = column(snapshot, Property::Title) {
            names = marks(column.folded(), &query.words, is_beginning_of_word);
        }
        if let Some(column) = column(snapshot, Property::Email) {
            emails = marks(column.folded(), &query.words, |_, _| true);
            let is_query = |text: &str| Some(text) == query.folded.as_deref();
            exact.push(false);
            exact.extend(column.folded().iter().map(is_query));
        }
        Self {
            snapshot,
            names,
            emails,
            every: (0..query.words.len()).fold(0, |every, word| every | 1 << word),
            exact,
            id: query.id,
        }
    }

    /// Returns true if name or address match every word, or if the query identifies the learner
    /// exactly.
    pub fn matches(&self, row: u32) -> bool {
        let mark = |marks: &[u16], property| {
            let code = self.code(property, row);
            marks.get(code).copied().unwrap_or(0)
        };
        let met = mark(&self.names, Property::Title) | mark(&self.emails, Property::Email);
        met == self.every || self.is_exact(row)
    }

    /// Returns true if the query is the learner's e-mail address, user id or Entra object id.
    pub fn is_exact(&self, row: u32) -> bool {
        let email = self.exact.get(self.code(Property::Email, row));
        let people = &self.snapshot.people;
        let is_id = |id: Uuid| {
            let user = people.ids.get(row as usize).map(|user| user.uuid());
            let object = people.object_ids.get(row as usize).copied().flatten();
            user == Some(id) || object.is_some_and(|object| object.uuid() == id)
        };
        email == Some(&true) || self.id.is_some_and(is_id)
    }

    fn code(&self, property: Property, row: u32) -> usize {
        let column = column(self.snapshot, property);
        column.map_or(0, |column| column.codes().get(row) as usize)
    }
}

/// Finds learners: exact matches first, then by name (S4-088c). An empty query finds all learners.
pub fn people(
    snapshot: &Snapshot,
    order: &NameOrder,
    query: &str,
    limit: usize,
) -> NamePage<Person> {
    let matcher = Matcher::new(snapshot, &Query::new(query));
    let found = snapshot.people.living.iter();
    let (exact, others): (Vec<u32>, Vec<u32>) = found
        .filter(|row| matcher.matches(*row))
        .partition(|row| matcher.is_exact(*row));
    let total = exact.len() + others.len();
    let mut rows = order.page(snapshot, exact, 0, limit);
    let left = limit - rows.len();
    rows.extend(order.page(snapshot, others, 0, left));
    let entries = rows.into_iter();
    NamePage {
        total,
        entries: entries
            .filter_map(|row| Person::of(snapshot, row))
            .collect(),
    }
}

/// Returns the learner that a text identifies exactly: by e-mail address, user id or Entra object
/// id. Of several learners with one address, the first by row.
pub fn exact(snapshot: &Snapshot, text: &str) -> Option<Person> {
    let matcher = Matcher::new(snapshot, &Query::new(text));
    let mut rows = snapshot.people.living.iter();
    let row = rows.find(|row| matcher.is_exact(*row))?;
    Person::of(snapshot, row)
}

/// Finds courses: first the one whose id is the query, then by title those in whose title every
/// word of the query begins some word. Unpublished courses are included and marked. An empty query
/// finds all courses.
pub fn courses(snapshot: &Snapshot, query: &str, limit: usize) -> NamePage<SchemaCourse> {
    let query = Query::new(query);
    let mut found: Vec<(bool, String, usize)> = Vec::new();
    for (place, course) in snapshot.courses.iter().enumerate() {
        let title = fold(&course.title).unwrap_or_default();
        let is_meant = query.id == Some(course.id.uuid());
        let mut words = query.words.iter();
        if is_meant || words.all(|word| has_word(&title, word)) {
            found.push((!is_meant, title, place));
        }
    }
    found.sort_unstable();
    let entries = found.iter().take(limit);
    NamePage {
        total: found.len(),
        entries: entries
            .map(|(_, _, place)| SchemaCourse::of(&snapshot.courses[*place]))
            .collect(),
    }
}

fn column(snapshot: &Snapshot, property: Property) -> Option<&TextColumn> {
    snapshot.people.texts.get(&Source::Property(property))
}

/// Returns for each code the words found in its text at positions that `may_stand` accepts, as
/// bits.
fn marks(
    folded: &Dictionary,
    words: &[String],
    may_stand: impl Fn(&str, usize) -> bool,
) -> Vec<u16> {
    let mut marks = vec![0; folded.len() as usize + 1];
    for (bit, word) in words.iter().enumerate() {
        folded.hits(word, |code, text, at| {
            let fits = may_stand(text, at);
            if fits {
                marks[code as usize] |= 1 << bit;
            }
            fits
        });
    }
    marks
}

fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word)
        .any(|(at, _)| is_beginning_of_word(text, at))
}

fn is_beginning_of_word(text: &str, at: usize) -> bool {
    let before = text[..at].chars().next_back();
    !before.is_some_and(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;
    use proptest::prelude::*;

    fn world() -> World {
        let mut world = World::new();
        for (name, email) in [
            ("Ada Lovelace", "ada@contoso.example"),
            ("Grace Hopper", "ghopper@contoso.example"),
            ("Sinéad O'Brien", "sinead.obrien@fabrikam.example"),
            ("Ada Hopper-Byron", "x.ada@contoso.example"),
            ("Émile Straßer", ""),
            ("Gone Person", "gone@contoso.example"),
        ] {
            world.person(name).with("email", email);
        }
        for title in ["Security 101", "Advanced Security", "Outlook - Japanese"] {
            world.course(title);
        }
        world
    }

    fn snapshot() -> Snapshot {
        let mut snapshot = world().snapshot();
        let people = &mut snapshot.people;
        let gone = people
            .row(World::user("Gone Person"))
            .expect("learner not in the snapshot");
        people.living.remove(gone);
        snapshot
    }

    fn found(query: &str) -> Vec<String> {
        let snapshot = snapshot();
        let found = people(&snapshot, &NameOrder::of(&snapshot), query, 10);
        assert_eq!(found.total, found.entries.len());
        let names = found.entries.into_iter().filter_map(|person| person.name);
        names.collect()
    }

    /// Proves S4-088c: learners are found by the parts of a name or address that a user remembers.
    #[test]
    fn people_are_found_by_words_of_name_and_address() {
        assert_eq!(found("ADA"), ["Ada Hopper-Byron", "Ada Lovelace"]);
        assert_eq!(found("lovelace, a"), ["Ada Lovelace"]);
        assert_eq!(found("hop"), ["Ada Hopper-Byron", "Grace Hopper"]);
        assert_eq!(found("byron ada"), ["Ada Hopper-Byron"]);
        assert_eq!(found("o'br"), ["Sinéad O'Brien"]);
        assert_eq!(found("brien"), ["Sinéad O'Brien"]);
        assert_eq!(found("SINE\u{301}AD fabrikam"), ["Sinéad O'Brien"]);
        assert_eq!(found("strasser"), ["Émile Straßer"]);
        assert_eq!(found("opper"), ["Grace Hopper"], "only in the address");
        assert_eq!(found("gone"), Vec::<String>::new());
        assert_eq!(found("  ").len(), 5);
    }

    #[test]
    fn whom_an_address_or_id_names_comes_first() {
        assert_eq!(
            found(" Ada@Contoso.example "),
            ["Ada Lovelace", "Ada Hopper-Byron"]
        );
        let user = World::user("Grace Hopper").to_string().to_uppercase();
        assert_eq!(found(&user), ["Grace Hopper"]);
        let object = World::object("Grace Hopper").to_string();
        assert_eq!(found(&object), ["Grace Hopper"]);
        assert!(found(&World::user("Gone Person").to_string()).is_empty());
    }

    #[test]
    fn a_long_list_is_cut_and_counted() {
        let snapshot = snapshot();
        let found = people(&snapshot, &NameOrder::of(&snapshot), "contoso", 1);
        assert_eq!((found.total, found.entries.len()), (3, 1));
        let long = "x ".repeat(10_000);
        assert_eq!(Query::new(&long).words, ["x"]);
        let words = (0..99).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        assert_eq!(Query::new(&words).words.len(), MAX_WORDS);
    }

    /// Proves S4-089a: courses are found by title.
    #[test]
    fn courses_are_found_by_words_of_the_title() {
        let snapshot = snapshot();
        let titles = |query: &str| -> Vec<String> {
            let found = courses(&snapshot, query, 10).entries.into_iter();
            found.map(|course| course.title).collect()
        };
        assert_eq!(titles("sec"), ["Advanced Security", "Security 101"]);
        assert_eq!(titles("japan out"), ["Outlook - Japanese"]);
        assert_eq!(titles("curity"), Vec::<String>::new());
        assert_eq!(
            titles(&World::course_id("Security 101").to_string()),
            ["Security 101"]
        );
        let all = courses(&snapshot, "", 2);
        assert_eq!((all.total, all.entries.len()), (3, 2));
    }

    proptest! {
        /// The search over distinct values finds the same learners as a check of each one.
        #[test]
        fn the_quick_way_finds_the_same_people(
            people_of in proptest::collection::vec(("[ab]{1,3}( [ab]{1,3})?", "[ab]{1,2}@[ab]{1,2}"), 1..8),
            query in "[ab]{1,2}( [ab@]{1,2})?",
        ) {
            let mut world = World::new();
            for (number, (name, email)) in people_of.iter().enumerate() {
                world.person(&format!("{name} {number}")).with("email", email);
            }
            let snapshot = world.snapshot();
            let expected = people_of.iter().filter(|(name, email)| {
                query.split(' ').all(|word| name.split(' ').any(|part| part.starts_with(word)) || email.contains(word))
            });
            let found = people(&snapshot, &NameOrder::of(&snapshot), &query, 99);
            prop_assert_eq!(found.total, expected.count());
        }
    }
}
