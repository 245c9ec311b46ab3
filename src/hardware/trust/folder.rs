//! The site's trust directory: issuers and revocation lists, as whoever runs the cart laid them down.
//!
//! Nothing here fails as a whole: a file that cannot be used is named by a [`Fault`] and left out, and
//! what is left out can only make fewer cards trusted. At most [`FILES_MAX`] files of
//! [`FILE_BYTES_MAX`] bytes each are read, PEM or DER, hidden files excepted.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};

use crate::trust::authority::{Authority, RevocationList};
use crate::trust::delta::DeltaList;

/// Most files in the whole directory.
const FILES_MAX: usize = 256;
/// Largest file, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// How a PEM section begins (RFC 7468, 2); explanatory text may stand before it.
const PEM_MARK: &[u8] = b"-----BEGIN ";

/// Something in the trust directory that is not used. Names a file below that directory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The system does not let it be read.
    #[error("{0}: cannot be read")]
    Unreadable(String),
    /// It is larger than 1 MiB.
    #[error("{0}: is larger than 1 MiB")]
    TooLarge(String),
    /// The directory holds more than 256 files; this one and the rest were left out.
    #[error("{0}: is left out, there are more than 256 files")]
    TooMany(String),
    /// It holds no certificate, in `roots` or `intermediates`.
    #[error("{0}: is not a certificate")]
    NotACertificate(String),
    /// Its certificate may not issue others (RFC 5280, 4.2.1.3 and 4.2.1.9).
    #[error("{0}: is not the certificate of an issuer")]
    NotAnIssuer(String),
    /// It holds no revocation list, in `crls`; or one without a date of the next, or in parts.
    #[error("{0}: is not a revocation list, or of a kind that is not supported")]
    NotAList(String),
}

/// What the trust directory holds.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) roots: Vec<Authority>,
    pub(super) intermediates: Vec<Authority>,
    /// Newest first.
    pub(super) lists: Vec<RevocationList>,
    /// Newest first.
    pub(super) deltas: Vec<DeltaList>,
    pub(super) faults: Vec<Fault>,
}

/// What a file looked like from outside: enough to notice that it was replaced, rewritten or made
/// readable. `None` if the system does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    path: PathBuf,
    /// Number of the file, its length, and when it was last changed in any way.
    look: Option<(u64, u64, i64, i64)>,
}

/// The three places in the trust directory.
#[derive(Clone, Copy)]
enum TrustFolder {
    Roots,
    Intermediates,
    Lists,
}

impl TrustFolder {
    const ALL: [TrustFolder; 3] =
        [TrustFolder::Roots, TrustFolder::Intermediates, TrustFolder::Lists];

    fn folder(self) -> &'static str {
        match self {
            TrustFolder::Roots => "roots",
            TrustFolder::Intermediates => "intermediates",
            TrustFolder::Lists => "crls",
        }
    }
}

/// Looks at every file without reading any.
pub(super) fn stamps(trust: &Path) -> Vec<Stamp> {
    let mut stamps = Vec::new();
    for place in TrustFolder::ALL {
        let Ok(paths) = files(&trust.join(place.folder())) else { continue };
        for path in paths.into_iter().take(FILES_MAX) {
            let look = fs::metadata(&path).ok();
            let look = look.map(|look| (look.ino(), look.len(), look.ctime(), look.ctime_nsec()));
            stamps.push(Stamp { path, look });
        }
    }
    stamps
}

/// Reads the directory. One that does not exist holds nothing; that is not a fault.
pub(super) fn read(trust: &Path) -> Contents {
    let mut contents = Contents::default();
    let mut count = 0;
    for place in TrustFolder::ALL {
        let folder = place.folder();
        let paths = match files(&trust.join(folder)) {
            Ok(paths) => paths,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(_) => {
                contents.faults.push(Fault::Unreadable(folder.to_owned()));
                continue;
            }
        };
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let name = format!("{folder}/{name}");
            if count == FILES_MAX {
                contents.faults.push(Fault::TooMany(name));
                break;
            }
            count += 1;
            if let Err(fault) = add(&mut contents, place, &path, name) {
                contents.faults.push(fault);
            }
        }
    }
    contents.lists.sort_by_key(|list| std::cmp::Reverse(list.issued));
    contents.deltas.sort_by(|one, other| other.number().cmp(one.number()));
    contents
}

/// All files of one folder that are not hidden, by name.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

/// Uses one file for what its place is for.
fn add(
    contents: &mut Contents,
    place: TrustFolder,
    path: &Path,
    name: String,
) -> Result<(), Fault> {
    let bytes = bytes(path, &name)?;
    match place {
        TrustFolder::Roots => contents.roots.extend(authorities(&bytes, name)?),
        TrustFolder::Intermediates => contents.intermediates.extend(authorities(&bytes, name)?),
        TrustFolder::Lists => {
            let (complete, deltas) = lists(&bytes, name)?;
            contents.lists.extend(complete);
            contents.deltas.extend(deltas);
        }
    }
    Ok(())
}

fn bytes(path: &Path, name: &str) -> Result<Vec<u8>, Fault> {
    let unreadable = |_| Fault::Unreadable(name.to_owned());
    // Looked at before it is opened: opening a pipe would wait for its other end.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(Fault::Unreadable(name.to_owned()));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    let length = file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(length).is_ok_and(|length| length <= FILE_BYTES_MAX) {
        Ok(bytes)
    } else {
        Err(Fault::TooLarge(name.to_owned()))
    }
}

/// Certificates of issuers: any number as PEM, or one as DER. One bad part makes the file bad.
fn authorities(bytes: &[u8], name: String) -> Result<Vec<Authority>, Fault> {
    let ders = if is_pem(bytes) {
        CertificateDer::pem_slice_iter(bytes).collect::<Result<Vec<_>, _>>().unwrap_or_default()
    } else {
        vec![CertificateDer::from(bytes.to_vec())]
    };
    if ders.is_empty() {
        return Err(Fault::NotACertificate(name));
    }
    let read = |der| Authority::read(der).ok_or_else(|| Fault::NotACertificate(name.clone()));
    let authorities = ders.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    if authorities.iter().all(Authority::may_issue) {
        Ok(authorities)
    } else {
        Err(Fault::NotAnIssuer(name))
    }
}

/// Complete revocation lists and deltas, in the same way.
fn lists(bytes: &[u8], name: String) -> Result<(Vec<RevocationList>, Vec<DeltaList>), Fault> {
    let ders = if is_pem(bytes) {
        let sections = CertificateRevocationListDer::pem_slice_iter(bytes);
        sections.collect::<Result<Vec<_>, _>>().unwrap_or_default()
    } else {
        vec![CertificateRevocationListDer::from(bytes)]
    };
    let (mut complete, mut deltas) = (Vec::new(), Vec::new());
    for der in &ders {
        if let Some(list) = RevocationList::read(der) {
            complete.push(list);
        } else if let Some(delta) = DeltaList::read(der) {
            deltas.push(delta);
        } else {
            return Err(Fault::NotAList(name));
        }
    }
    if ders.is_empty() { Err(Fault::NotAList(name)) } else { Ok((complete, deltas)) }
}

fn is_pem(bytes: &[u8]) -> bool {
    bytes.windows(PEM_MARK.len()).any(|window| window == PEM_MARK)
}
