//! What a demo runs with.

use std::path::PathBuf;

use uuid::Uuid;

/// The demo's tenant.
pub const TENANT: Uuid = Uuid::from_u128(0x0000_7e4a_0000_4000_8000_0000_0000_0001);

/// What to run.
#[derive(Debug, Clone)]
pub struct DemoOptions {
    /// Size of the generated tenant.
    pub users: usize,
    /// Profiles; more than the demo's own are made from a grid.
    pub profiles: usize,
    /// A folder of CSV exports instead of the generated tenant.
    pub data: Option<PathBuf>,
    /// Where everything of the demo is kept.
    pub home: PathBuf,
}

impl DemoOptions {
    /// The folder of this demo's state: another size or source is another demo.
    pub(crate) fn state(&self) -> PathBuf {
        self.home.join("state").join(self.name())
    }

    /// Where this demo's member lists are put.
    pub fn members(&self) -> PathBuf {
        self.home.join("members").join(self.name())
    }

    fn name(&self) -> String {
        match &self.data {
            None => format!("demo-{}-{}", self.users, self.profiles),
            Some(folder) => format!(
                "data-{}",
                Uuid::new_v5(&TENANT, folder.as_os_str().as_encoded_bytes()).simple()
            ),
        }
    }
}
