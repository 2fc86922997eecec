//! Names of several cultures, and names that break careless software.

/// Given names and surnames; one row is one culture, so that pairs are plausible.
pub(super) const CULTURES: [(&[&str], &[&str]); 8] = [
    (
        &[
            "James", "Mary", "Robert", "Patricia", "Linda", "David", "Karen", "Kay", "Thomas",
            "Sarah",
        ],
        &[
            "Smith", "Johnson", "Williams", "Brown", "Davis", "Miller", "Wilson", "Moore", "Taylor",
        ],
    ),
    (
        &[
            "José", "María", "Lucía", "Ángel", "Sofía", "Raúl", "Inés", "Andrés",
        ],
        &[
            "García",
            "Martínez",
            "López",
            "Núñez",
            "Pérez",
            "Ibáñez",
            "Gutiérrez",
        ],
    ),
    (
        &[
            "Jürgen", "Käthe", "Björn", "Annelie", "Sören", "Heike", "Günther",
        ],
        &[
            "Müller",
            "Schröder",
            "Weiß",
            "Krüger",
            "Jäger",
            "Vogel",
            "Groß",
        ],
    ),
    (
        &[
            "Hiroshi", "Yuki", "Sakura", "Kenji", "Aiko", "Takeshi", "Naoko",
        ],
        &[
            "Tanaka",
            "Suzuki",
            "Watanabe",
            "Yamamoto",
            "Kobayashi",
            "Sato",
        ],
    ),
    (
        &[
            "Aisha", "Omar", "Fatima", "Yusuf", "Layla", "Khalid", "Noor",
        ],
        &["Al-Farsi", "Haddad", "Rahman", "El-Sayed", "Nasser", "Khan"],
    ),
    (
        &[
            "Priya", "Rahul", "Ananya", "Vikram", "Deepa", "Arjun", "Lakshmi",
        ],
        &[
            "Sharma",
            "Patel",
            "Iyer",
            "Reddy",
            "Venkataraman",
            "Singh",
            "Das",
        ],
    ),
    (
        &[
            "Zofia",
            "Łukasz",
            "Agnieszka",
            "Jiří",
            "Věra",
            "Dušan",
            "Ágnes",
        ],
        &["Wójcik", "Kowalska", "Dvořák", "Novák", "Szabó", "Żak"],
    ),
    (
        &[
            "Chioma",
            "Kwame",
            "Amara",
            "Thabo",
            "Zanele",
            "Oluwaseun",
            "Wanjiru",
        ],
        &["Okafor", "Mensah", "Dlamini", "Adeyemi", "Kamau", "Nkosi"],
    ),
];

/// Names from bug reports; the generator cycles through them.
pub(super) const NASTY: [(&str, &str); 22] = [
    ("Siobhán", "O'Brien"),
    ("Jörg", "Müller"),
    ("İbrahim", "Çelik"),
    ("Karl", "Großmann-Weiß"),
    ("STRASSE", "GROẞ"),
    ("Anna 👩‍🚀", "Star"),
    ("Zero\u{200b}Width", "Space"),
    ("  Leading", "Trailing  "),
    ("Soﬁa", "Griﬃn"),
    ("\"Bob\"", "Quote\"d"),
    ("Comma,", "Jones, Jr."),
    ("=cmd|' /C calc'!A0", "Formula"),
    ("+1", "@SUM(A1)"),
    ("Jose\u{301}", "Nu\u{303}ez"),
    ("Semi;colon", "Tab\tbed"),
    ("<script>alert(1)</script>", "Angle & Ampersand"),
    ("Nguyễn Thị Minh", "Khai"),
    ("山田", "太郎"),
    ("محمد", "عبد الله"),
    ("null", "Null"),
    ("Ⅷ", "ＷＩＤＥ"),
    (LONG_GIVEN, LONG_SURNAME),
];

const LONG_GIVEN: &str = "Hubert Blaine Adolph Charles David Earl Frederick Gerald Irvin John \
    Kenneth Lloyd Martin Nero Oliver Paul Quincy Randolph Sherman Thomas Uncas Victor William";
const LONG_SURNAME: &str =
    "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewissenhaftschaferswessenschafe";

/// Returns a part of a user principal name: ASCII letters of the name, or `user` if it has none.
pub(super) fn slug(given: &str, surname: &str) -> String {
    let letters = |text: &str| -> String {
        let kept = text.chars().filter(char::is_ascii_alphabetic);
        kept.take(12)
            .map(|letter| letter.to_ascii_lowercase())
            .collect()
    };
    match (letters(given), letters(surname)) {
        (given, surname) if given.is_empty() && surname.is_empty() => "user".to_owned(),
        (given, surname) if given.is_empty() => surname,
        (given, surname) if surname.is_empty() => given,
        (given, surname) => format!("{given}.{surname}"),
    }
}
