//! Options of a demo.

use std::path::PathBuf;

use uuid::Uuid;

/// The demo's tenant.
pub const TENANT: Uuid = Uuid::from_u128(0x0000_7e4a_0000_4000_8000_0000_0000_0001);

/// The options of a demo.
#[derive(Debug, Clone)]
pub struct DemoOptions {
    /// Number of users in the generated tenant.
    pub users: usize,
    /// Number of profiles; those beyond the built-in ones are generated from a grid.
    pub profiles: usize,
    /// A folder with CSV exports to use instead of the generated tenant.
    pub data: Option<PathBuf>,
    /// The folder for all files of the demo.
    pub home: PathBuf,
}

impl DemoOptions {
    /// Returns the folder of this demo's state, which depends on its size or its data.
    pub(crate) fn state(&self) -> PathBuf {
        self.home.join("state").join(self.name())
    }

    /// Returns the folder for this demo's member lists.
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
