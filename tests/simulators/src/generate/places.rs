//! Places and job titles, with the spelling mistakes of real directories.

/// Mail domain of members.
pub(super) const DOMAIN: &str = "contoso.example";

/// The cities of the worked example.
pub(super) const ANCHOR_CITIES: [&str; 3] = ["Las Vegas", "San Diego", "Denver"];

/// City and country; repeated cities are more likely, odd spellings are intentional.
pub(super) const CITIES: [(&str, &str); 24] = [
    ("Las Vegas", "United States"),
    ("San Diego", "United States"),
    ("San Diego", "United States"),
    ("Denver", "United States"),
    ("Denver", "United States"),
    ("denver ", "United States"),
    ("DENVER", "US"),
    (" Las Vegas", "USA"),
    ("san diego", "United States"),
    ("Seattle", "United States"),
    ("New York", "United States"),
    ("Austin", "United States"),
    ("Toronto", "Canada"),
    ("Montréal", "Canada"),
    ("London", "United Kingdom"),
    ("Manchester", "United Kingdom"),
    ("München", "Germany"),
    ("Muenchen", "Germany"),
    ("Berlin", "Germany"),
    ("København", "Denmark"),
    ("Tokyo", "Japan"),
    ("São Paulo", "Brazil"),
    ("İstanbul", "Türkiye"),
    ("Sydney", "Australia"),
];

/// Departments.
pub(super) const DEPARTMENTS: [&str; 12] = [
    "Sales",
    "Customer Success",
    "Engineering",
    "Finance",
    "Human Resources",
    "Legal",
    "Marketing",
    "Operations",
    "Research & Development",
    "Support",
    "sales",
    "IT",
];

/// Job titles.
pub(super) const TITLES: [&str; 16] = [
    "Customer Success Manager",
    "Senior Customer Success Manager",
    "Account Executive",
    "Sales Manager",
    "Software Engineer",
    "Principal Engineer",
    "Financial Analyst",
    "HR Business Partner",
    "Legal Counsel",
    "Marketing Specialist",
    "Operations Manager",
    "Support Agent",
    "Team Lead",
    "Director, Sales",
    "VP of Engineering",
    "Intern",
];

/// Companies of the group.
pub(super) const COMPANIES: [&str; 5] = [
    "Contoso Ltd",
    "Contoso GmbH",
    "Fabrikam, Inc.",
    "Northwind Traders",
    "Contoso K.K.",
];

/// Offices.
pub(super) const OFFICES: [&str; 7] = [
    "HQ",
    "Building 2",
    "Floor 3, Room 12",
    "Remote",
    "Warehouse",
    "City Tower",
    "hq",
];
