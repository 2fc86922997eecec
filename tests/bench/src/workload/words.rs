//! Names of places, units, jobs and users, and their combinations.

/// Countries with their cities, ordered by frequency.
#[rustfmt::skip]
pub(super) const CITIES: [(&str, &[&str]); 40] = [
    ("United States", &["Denver", "San Diego", "Las Vegas", "New York", "Austin", "Chicago", "Boston", "Seattle", "Atlanta", "Houston", "Portland", "Phoenix"]),
    ("Germany", &["Berlin", "München", "Köln", "Hamburg", "Frankfurt", "Stuttgart", "Düsseldorf"]),
    ("United Kingdom", &["London", "Manchester", "Leeds", "Bristol", "Edinburgh", "Glasgow"]),
    ("India", &["Bengaluru", "Mumbai", "Pune", "Hyderabad", "Chennai", "New Delhi"]),
    ("Norway", &["Oslo", "Bergen", "Trondheim", "Tromsø"]),
    ("France", &["Paris", "Lyon", "Marseille", "Nîmes"]),
    ("Canada", &["Toronto", "Montréal", "Vancouver", "Calgary"]),
    ("Brazil", &["São Paulo", "Rio de Janeiro", "Belo Horizonte"]),
    ("Spain", &["Madrid", "Barcelona", "Málaga", "A Coruña"]),
    ("Poland", &["Warszawa", "Kraków", "Łódź", "Gdańsk"]),
    ("Japan", &["Tokyo", "Osaka", "Nagoya"]),
    ("Australia", &["Sydney", "Melbourne", "Perth"]),
    ("Netherlands", &["Amsterdam", "Utrecht", "Eindhoven"]),
    ("Sweden", &["Stockholm", "Göteborg", "Malmö"]),
    ("Switzerland", &["Zürich", "Genève", "Basel"]),
    ("Italy", &["Milano", "Roma", "Torino"]),
    ("Mexico", &["Ciudad de México", "Monterrey", "Mérida"]),
    ("Denmark", &["København", "Aarhus"]),
    ("Finland", &["Helsinki", "Tampere", "Jyväskylä"]),
    ("Austria", &["Wien", "Graz", "Linz"]),
    ("Belgium", &["Bruxelles", "Antwerpen"]),
    ("Ireland", &["Dublin", "Cork"]),
    ("Portugal", &["Lisboa", "Porto"]),
    ("Czechia", &["Praha", "Brno"]),
    ("Hungary", &["Budapest", "Győr"]),
    ("Romania", &["București", "Cluj-Napoca"]),
    ("Greece", &["Athína", "Thessaloníki"]),
    ("Türkiye", &["İstanbul", "Ankara"]),
    ("Singapore", &["Singapore"]),
    ("South Africa", &["Johannesburg", "Cape Town"]),
    ("New Zealand", &["Auckland", "Wellington"]),
    ("South Korea", &["Seoul", "Busan"]),
    ("Argentina", &["Buenos Aires", "Córdoba"]),
    ("Chile", &["Santiago", "Valparaíso"]),
    ("Colombia", &["Bogotá", "Medellín"]),
    ("Israel", &["Tel Aviv", "Haifa"]),
    ("Egypt", &["Cairo", "Alexandria"]),
    ("Kenya", &["Nairobi", "Mombasa"]),
    ("Philippines", &["Manila", "Cebu"]),
    ("Estonia", &["Tallinn", "Tartu"]),
];

#[rustfmt::skip]
const UNITS: [&str; 30] = [
    "Sales", "Marketing", "Customer Success", "Support", "Engineering", "Research", "Finance",
    "Accounting", "Legal", "Human Resources", "Facilities", "Logistics", "Procurement", "Security",
    "Quality", "Product", "Design", "Data", "Manufacturing", "Maintenance", "Field Service",
    "Training", "Communications", "Compliance", "Internal Audit", "Treasury", "IT", "Partner",
    "Strategy", "Health & Safety",
];

/// Companies, ordered by frequency.
#[rustfmt::skip]
pub(super) const COMPANIES: [&str; 30] = [
    "Contoso", "Contoso Europe GmbH", "Contoso UK Ltd", "Fabrikam", "Fabrikam Inc.",
    "Northwind Traders", "Adventure Works", "Tailspin Toys", "Wide World Importers", "Litware",
    "Proseware", "Relecloud", "VanArsdel", "Woodgrove Bank", "Margie's Travel",
    "Lucerne Publishing", "Alpine Ski House", "Blue Yonder", "Coho Winery", "Fourth Coffee",
    "Graphic Design Institute", "Humongous Insurance", "Trey Research", "School of Fine Art",
    "Southridge Video", "Munson's Pickles", "Nod Publishers", "Best For You Organics",
    "Bellows College", "Consolidated Messenger",
];

const LEVELS: [&str; 10] = [
    "",
    "Senior ",
    "Junior ",
    "Lead ",
    "Principal ",
    "Associate ",
    "Regional ",
    "Global ",
    "Deputy ",
    "Trainee ",
];
/// The middle words of job titles, which rules search for.
pub(super) const AREAS: [&str; 12] = [
    "Customer Success",
    "Sales",
    "Software",
    "Data",
    "Security",
    "Account",
    "Project",
    "Quality",
    "Support",
    "Operations",
    "Marketing",
    "Finance",
];
/// The last words of job titles.
pub(super) const ROLES: [&str; 5] = ["Manager", "Engineer", "Analyst", "Specialist", "Consultant"];

#[rustfmt::skip]
const FIRST: [&str; 60] = [
    "Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Margaret", "Linus", "Radia", "Ken",
    "Dennis", "Frances", "John", "Karen", "Leslie", "Robin", "Tony", "Niklaus", "Anita", "Jean",
    "Hedy", "Katherine", "Dorothy", "Mary", "Joan", "Evelyn", "Shafi", "Silvio", "Adele", "Kristen",
    "Åsa", "Björn", "Céline", "Daniël", "Émile", "François", "Gülşen", "Håkon", "Íñigo", "Jürgen",
    "Kärt", "Łukasz", "Mónica", "Noël", "Øyvind", "Pınar", "Renée", "Sørine", "Tomáš", "Ümit",
    "Vít", "Wiesława", "Xenia", "Yuki", "Zoë", "Priya", "Arjun", "Mei", "Kofi", "Amina",
];
#[rustfmt::skip]
const LAST: [&str; 60] = [
    "Lovelace", "Hopper", "Turing", "Dijkstra", "Liskov", "Knuth", "Hamilton", "Torvalds",
    "Perlman", "Thompson", "Ritchie", "Allen", "McCarthy", "Jones", "Lamport", "Milner", "Hoare",
    "Wirth", "Borg", "Bartik", "Lamarr", "Johnson", "Vaughan", "Jackson", "Clarke", "Boyd",
    "Goldwasser", "Micali", "Goldberg", "Nygaard", "Ångström", "Bäcker", "Çelik", "Dvořák",
    "Ekström", "Fößel", "García", "Hernández", "Ibáñez", "Jørgensen", "Køhler", "Lindström",
    "Müller", "Nuñez", "Özdemir", "Peña", "Quirós", "Rodríguez", "Šimek", "Țepeș", "Ünal",
    "Vásquez", "Weiß", "Yılmaz", "Żak", "Patel", "Singh", "Chen", "Mensah", "Okafor",
];

/// Mail domains, ordered by frequency.
pub(super) const DOMAINS: [&str; 6] = [
    "contoso.example",
    "eu.contoso.example",
    "fabrikam.example",
    "partner.example",
    "ext.contoso.example",
    "northwind.example",
];
/// Employment types, ordered by frequency.
pub(super) const EMPLOYMENT: [&str; 6] = [
    "Employee",
    "Contractor",
    "Part-time",
    "Intern",
    "Temporary",
    "Vendor",
];

/// Returns cities with their countries; the first city of each country precedes second ones.
pub(super) fn cities() -> Vec<(&'static str, &'static str)> {
    let most = CITIES
        .iter()
        .map(|(_, cities)| cities.len())
        .max()
        .unwrap_or_default();
    (0..most)
        .flat_map(|nth| {
            CITIES
                .iter()
                .filter_map(move |(country, cities)| Some((*cities.get(nth)?, *country)))
        })
        .collect()
}

/// Returns departments: each unit alone and with a second word.
pub(super) fn departments() -> Vec<String> {
    let plain = UNITS.iter().map(|unit| (*unit).to_owned());
    plain
        .chain(UNITS.iter().map(|unit| format!("{unit} Operations")))
        .collect()
}

/// Returns job titles of level, area and role; plain ones come first.
pub(super) fn job_titles() -> Vec<String> {
    let mut titles = Vec::with_capacity(LEVELS.len() * AREAS.len() * ROLES.len());
    for level in LEVELS {
        for role in ROLES {
            titles.extend(AREAS.iter().map(|area| format!("{level}{area} {role}")));
        }
    }
    titles
}

/// Returns an office of a city; larger cities have two.
pub(super) fn office(rank: usize, city: &str, second: bool) -> String {
    if second && rank < 80 {
        format!("{city} Campus")
    } else {
        format!("{city} HQ")
    }
}

/// Returns the name of the nth user, with its original spelling.
pub(super) fn name(nth: usize) -> (&'static str, &'static str) {
    (
        FIRST[nth % FIRST.len()],
        LAST[nth / FIRST.len() % LAST.len()],
    )
}
