//! Objects in a folder, behind one interface: a local folder, or with the feature `s3` a bucket. Deliveries appear in it whole.
//!
//! A local delivery is written below `NAME.staging/`, beside the folder, so that no reader's pattern finds it, and gets its place by one
//! rename. A bucket knows no renaming of many: there a delivery is whole when its `_manifest.json` stands, which is written last and names
//! every file.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use opendal::Operator;
use tokio::runtime::{Builder, Runtime};

use super::file::sync_parent;
use super::{DataError, DeliveryId};

/// The name of a delivery's record among its files. A name that begins so is passed over by Spark and DuckDB.
pub const MANIFEST: &str = "_manifest.json";

/// Where a delivery's files stand and how they get there.
#[derive(Debug)]
enum Place {
    /// A folder of this machine; objects are named from its parent.
    Local { parent: PathBuf, name: String },
    /// A bucket.
    #[cfg(feature = "s3")]
    Bucket { prefix: String },
}

/// A folder of objects.
#[derive(Debug)]
pub struct ObjectFolder {
    operator: Operator,
    runtime: Runtime,
    place: Place,
    shown: String,
}

fn runtime(shown: &str) -> Result<Runtime, DataError> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| DataError::target(shown, error))
}

impl ObjectFolder {
    /// A folder of this machine, made when it is not there.
    ///
    /// # Errors
    /// [`DataError::Target`].
    pub fn local(folder: &Path) -> Result<Self, DataError> {
        let shown = format!("folder:{}", folder.display());
        let failed = |error: io::Error| DataError::target(&shown, error);
        fs::create_dir_all(folder).map_err(failed)?;
        let folder = folder.canonicalize().map_err(failed)?;
        let (Some(parent), Some(name)) = (
            folder.parent(),
            folder.file_name().and_then(|name| name.to_str()),
        ) else {
            return Err(DataError::target(&shown, "no name"));
        };
        let root = parent
            .to_str()
            .ok_or_else(|| DataError::target(&shown, "not UTF-8"))?;
        let operator = Operator::new(opendal::services::Fs::default().root(root));
        Ok(Self {
            operator: operator.map_err(|error| DataError::target(&shown, error))?,
            runtime: runtime(&shown)?,
            place: Place::Local {
                parent: parent.to_owned(),
                name: name.to_owned(),
            },
            shown,
        })
    }

    /// A bucket of a server at `AWS_ENDPOINT_URL`, with the credentials in `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, over plain HTTP:
    /// inside a site.
    ///
    /// # Errors
    /// [`DataError::Target`] when it cannot be reached by what the environment says.
    #[cfg(feature = "s3")]
    pub fn bucket(bucket: &str, prefix: &str) -> Result<Self, DataError> {
        let shown = format!("s3://{bucket}/{prefix}");
        let set = |name: &str| {
            std::env::var(name).map_err(|_| DataError::target(&shown, format!("{name}?")))
        };
        let endpoint = set("AWS_ENDPOINT_URL")?;
        if !endpoint.starts_with("http://") {
            return Err(DataError::target(&shown, format!("{endpoint}: http://")));
        }
        let service = opendal::services::S3::default()
            .bucket(bucket)
            .endpoint(&endpoint)
            .region(&std::env::var("AWS_REGION").unwrap_or_else(|_| "us-east-1".to_owned()))
            .access_key_id(&set("AWS_ACCESS_KEY_ID")?)
            .secret_access_key(&set("AWS_SECRET_ACCESS_KEY")?)
            .disable_config_load()
            .disable_ec2_metadata();
        opendal_http_transport_reqwest::install_default();
        let operator = Operator::new(service);
        Ok(Self {
            operator: operator.map_err(|error| DataError::target(&shown, error))?,
            runtime: runtime(&shown)?,
            place: Place::Bucket {
                prefix: prefix.to_owned(),
            },
            shown,
        })
    }

    /// A bucket, which this program was built without.
    ///
    /// # Errors
    /// Always [`DataError::Address`].
    #[cfg(not(feature = "s3"))]
    pub fn bucket(bucket: &str, _prefix: &str) -> Result<Self, DataError> {
        Err(DataError::Address(format!(
            "s3://{bucket}：本程序未含 s3 (built without the feature s3)"
        )))
    }

    /// The folder as it is written in a command.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Where a delivery stands when it is whole, below the folder.
    pub fn folder_of(id: &DeliveryId) -> String {
        format!("delivery={id}")
    }

    /// Where a delivery stands when it is whole, as the operator names it.
    fn visible(&self, id: &DeliveryId) -> String {
        let folder = Self::folder_of(id);
        match &self.place {
            Place::Local { name, .. } => format!("{name}/{folder}"),
            #[cfg(feature = "s3")]
            Place::Bucket { prefix } if prefix.is_empty() => folder,
            #[cfg(feature = "s3")]
            Place::Bucket { prefix } => format!("{prefix}/{folder}"),
        }
    }

    /// Where a delivery is written.
    fn written(&self, id: &DeliveryId) -> String {
        match &self.place {
            Place::Local { name, .. } => format!("{name}.staging/{id}"),
            #[cfg(feature = "s3")]
            Place::Bucket { .. } => self.visible(id),
        }
    }

    fn wait<T>(&self, answer: impl Future<Output = opendal::Result<T>>) -> Result<T, DataError> {
        self.runtime.block_on(answer).map_err(|error| {
            // The cause is what an operator needs: no space, no permission.
            let cause = std::error::Error::source(&error)
                .map(|cause| format!(": {cause}"))
                .unwrap_or_default();
            DataError::target(&self.shown, format!("{error}{cause}"))
        })
    }

    /// Begins a delivery: what an earlier attempt of the same name left is removed.
    ///
    /// # Errors
    /// [`DataError::Delivered`] when it is there whole.
    pub fn begin(&self, id: &DeliveryId) -> Result<(), DataError> {
        let manifest = format!("{}/{MANIFEST}", self.visible(id));
        if self.wait(self.operator.exists(&manifest))? {
            return Err(DataError::Delivered(id.to_string()));
        }
        self.remove(id)
    }

    /// Writes a file of a delivery.
    ///
    /// # Errors
    /// [`DataError::Target`].
    pub fn put(&self, id: &DeliveryId, path: &str, bytes: Vec<u8>) -> Result<(), DataError> {
        let name = format!("{}/{path}", self.written(id));
        self.wait(self.operator.write(&name, bytes)).map(drop)
    }

    /// Shows a delivery, whose record is written last.
    ///
    /// # Errors
    /// [`DataError::Target`]; then nothing is shown.
    pub fn show(&self, id: &DeliveryId, manifest: Vec<u8>) -> Result<(), DataError> {
        self.put(id, MANIFEST, manifest)?;
        match &self.place {
            Place::Local { parent, .. } => {
                let (from, to) = (parent.join(self.written(id)), parent.join(self.visible(id)));
                let renamed = sync_folders(&from)
                    .and_then(|()| fs::rename(&from, &to))
                    .and_then(|()| sync_parent(&to));
                renamed.map_err(|error| DataError::target(&self.shown, error))
            }
            #[cfg(feature = "s3")]
            Place::Bucket { .. } => Ok(()),
        }
    }

    /// Removes what was written of a delivery that is not shown.
    ///
    /// # Errors
    /// [`DataError::Target`]; the next attempt removes it.
    pub fn remove(&self, id: &DeliveryId) -> Result<(), DataError> {
        let written = format!("{}/", self.written(id));
        let recursive = self.operator.delete_options(
            &written,
            opendal::options::DeleteOptions {
                recursive: true,
                ..Default::default()
            },
        );
        self.wait(recursive)
    }
}

/// Puts on the disk what stands in a folder and those below it; the files themselves are synced as they are written.
fn sync_folders(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    File::open(folder)?.sync_all()
}
