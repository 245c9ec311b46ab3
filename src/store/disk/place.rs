//! Whether a store may lie where it lies: whose the place is, who else can look into it, and whether its file
//! system keeps what it was told to keep.
//!
//! | what is wrong | what is done |
//! |---|---|
//! | the directory, or something of the store, is another account's | refused: whoever owns it can exchange it |
//! | any account may rename what lies in a directory above | refused, for the same reason |
//! | others may look into the directory, or write there | mended, and told where a store was open to them |
//! | a file system in memory, or one on a network | the kiosk refuses it; commands at a terminal work there |
//!
//! What is not known of a file system is taken as good: the list below has those of which it is known that
//! they forget, or that syncing and locking promise nothing there.

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::disk::layout::{self, DEVICE_SECRET};
use wardkeep_model::keeping::{StoreFault, Unfit};

/// Where the kernel lists what is mounted (proc_pid_mountinfo(5)).
const MOUNTS: &str = "/proc/self/mountinfo";
/// Anybody may write.
const BY_ANYBODY: u32 = 0o002;
/// Only the owner of a file may rename it.
const STICKY: u32 = 0o1000;
/// Whatever group and others may do.
const OTHERS: u32 = 0o077;
/// Group or others may write.
const WRITTEN_BY_OTHERS: u32 = 0o022;
/// Overlays that lie on overlays.
const LAYERS_MAX: u32 = 8;

/// `f_type` of file systems that forget with a restart: tmpfs, ramfs (statfs(2)).
const VOLATILE: [u64; 2] = [0x0102_1994, 0x8584_58f6];
/// `f_type` of those that lie on other machines: NFS, SMB, CIFS, SMB2, AFS twice, Coda, Ceph, 9P, Lustre, NCP.
const NETWORK: [u64; 11] = [
    0x6969,
    0x517b,
    0xff53_4d42,
    0xfe53_4d42,
    0x5346_414f,
    0x6b41_4653,
    0x7375_7245,
    0x00c3_6400,
    0x0102_1997,
    0x0bd0_0bd0,
    0x564c,
];
/// `f_type` of whatever a program pretends; `fuseblk` has a disk below it.
const FUSE: u64 = 0x6573_5546;
/// `f_type` of layers: what is written lies where the upper one does.
const OVERLAY: u64 = 0x794c_7630;

/// What is to be said of a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Why no store may lie there.
    pub unfit: Option<Unfit>,
    /// Other accounts may look into the directory of a store, or write there. The kiosk closes it.
    pub is_open: bool,
}

/// Looks at a place and changes nothing; of one that is not there, at the directory that it would be made in.
pub fn look(state_dir: &Path) -> Place {
    let unfit = match owned(state_dir).and_then(|()| lasting(state_dir)) {
        Err(StoreFault::Unfit(unfit)) => Some(unfit),
        // What cannot be looked at is said by whoever tries to write there.
        Ok(()) | Err(_) => None,
    };
    // Before there is a store, nothing is open.
    let is_open = layout::store(state_dir).exists()
        && fs::metadata(state_dir).is_ok_and(|place| place.mode() & OTHERS != 0);
    Place { unfit, is_open }
}

/// Refuses a place that another account could exchange.
///
/// # Errors
/// `Unfit`; otherwise as reading directories.
pub(crate) fn owned(state_dir: &Path) -> Result<(), StoreFault> {
    let (there, is_it) = nearest(state_dir)?;
    for above in there.ancestors().skip(usize::from(is_it)) {
        let mode = fs::metadata(above)?.mode();
        if mode & BY_ANYBODY != 0 && mode & STICKY == 0 {
            return Err(StoreFault::Unfit(Unfit::OpenParent));
        }
    }
    let ours = rustix::process::geteuid().as_raw();
    let is_ours = |path: &Path| match fs::symlink_metadata(path) {
        Ok(facts) => Ok(facts.uid() == ours),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(StoreFault::from(error)),
    };
    let mut all = is_ours(state_dir)? && is_ours(&state_dir.join(DEVICE_SECRET))?;
    each(&layout::store(state_dir), &mut |path| {
        all &= is_ours(path)?;
        Ok(())
    })?;
    if all { Ok(()) } else { Err(StoreFault::Unfit(Unfit::ForeignOwner)) }
}

/// Takes from everybody else what they may do with the directory and the store in it; how many files of the
/// store they could have read or exchanged.
///
/// # Errors
/// As changing the mode of a directory of ours.
pub(crate) fn close(state_dir: &Path) -> Result<u64, StoreFault> {
    let mode = fs::metadata(state_dir)?.mode();
    // Also finds out whether anything can be changed here.
    fs::set_permissions(state_dir, Permissions::from_mode(0o700))?;
    if mode & OTHERS == 0 {
        return Ok(0);
    }
    let mut reached = 0;
    let mut shut = |path: &Path| {
        let facts = fs::symlink_metadata(path)?;
        let is_reached = mode & WRITTEN_BY_OTHERS != 0 || facts.mode() & OTHERS != 0;
        reached += u64::from(is_reached && !facts.is_dir());
        if facts.mode() & OTHERS != 0 && !facts.is_symlink() {
            fs::set_permissions(path, Permissions::from_mode(facts.mode() & 0o700))?;
        }
        Ok(())
    };
    let secret = state_dir.join(DEVICE_SECRET);
    if secret.try_exists()? {
        shut(&secret)?;
    }
    each(&layout::store(state_dir), &mut shut)?;
    if reached > 0 {
        tracing::warn!(reached, "the state directory was open to other accounts, and was closed");
    }
    Ok(reached)
}

/// Refuses a place whose file system forgets, or promises nothing.
///
/// # Errors
/// `Unfit`; otherwise as asking the system.
pub(crate) fn lasting(state_dir: &Path) -> Result<(), StoreFault> {
    let (there, _) = nearest(state_dir)?;
    let mounts = fs::read_to_string(MOUNTS).unwrap_or_default();
    judge(&there, &mounts, &file_system, LAYERS_MAX).map_err(StoreFault::Unfit)
}

/// The magic number of a place's file system; `None` where the system does not say.
fn file_system(path: &Path) -> Option<u64> {
    u64::try_from(rustix::fs::statfs(path).ok()?.f_type).ok()
}

fn judge(
    path: &Path,
    mounts: &str,
    magic: &dyn Fn(&Path) -> Option<u64>,
    layers: u32,
) -> Result<(), Unfit> {
    let Some(number) = magic(path) else { return Ok(()) };
    if VOLATILE.contains(&number) {
        return Err(Unfit::Volatile);
    }
    if NETWORK.contains(&number) {
        return Err(Unfit::Network);
    }
    let mount = Mount::of(path, mounts);
    if number == FUSE && mount.as_ref().is_none_or(|mount| mount.kind != "fuseblk") {
        return Err(Unfit::Network);
    }
    let upper = mount.filter(|_| number == OVERLAY).and_then(|mount| mount.upper());
    match upper {
        Some(upper) if layers > 0 => judge(&upper, mounts, magic, layers - 1),
        Some(_) | None => Ok(()),
    }
}

/// A line of the kernel's list.
struct Mount<'a> {
    kind: &'a str,
    options: &'a str,
}

impl<'a> Mount<'a> {
    /// The one that a path lies on: the last of the longest.
    fn of(path: &Path, mounts: &'a str) -> Option<Self> {
        let lines = mounts.lines().filter_map(|line| {
            let (place, kind) = line.split_once(" - ")?;
            let point = PathBuf::from(unescaped(place.split(' ').nth(4)?));
            let mut kind = kind.split(' ');
            let mount = Self { kind: kind.next()?, options: kind.nth(1).unwrap_or_default() };
            path.starts_with(&point).then(|| (point.as_os_str().len(), mount))
        });
        lines.max_by_key(|(length, _)| *length).map(|(_, mount)| mount)
    }

    /// Where an overlay keeps what is written.
    fn upper(&self) -> Option<PathBuf> {
        let mut options = self.options.split(',');
        options
            .find_map(|option| option.strip_prefix("upperdir="))
            .map(unescaped)
            .map(PathBuf::from)
    }
}

/// The kernel writes blanks and backslashes as three octal digits.
fn unescaped(text: &str) -> String {
    let escapes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    escapes.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// The path without links, or the nearest directory above it that is there; whether it is the path itself.
fn nearest(path: &Path) -> Result<(PathBuf, bool), StoreFault> {
    let absolute = std::path::absolute(path)?;
    for there in absolute.ancestors() {
        match fs::canonicalize(there) {
            Ok(found) => return Ok((found, there == absolute)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok((absolute, false))
}

/// Everything below a directory and the directory itself; nothing where there is none.
fn each(
    path: &Path,
    look: &mut dyn FnMut(&Path) -> Result<(), StoreFault>,
) -> Result<(), StoreFault> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    look(path)?;
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            each(&entry.path(), look)?;
        } else {
            look(&entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\
22 1 254:1 / / rw - ext4 /dev/vda rw
30 22 0:40 / /mnt/a\\040b rw - overlay overlay rw,lowerdir=/low,upperdir=/mem/up,workdir=/mem/w
31 22 0:41 / /disk rw - overlay overlay rw,lowerdir=/low,upperdir=/srv/up,workdir=/srv/w
32 22 0:42 / /stick rw - fuseblk /dev/sdb1 rw
33 22 0:43 / /cloud rw - fuse.sshfs a:/ rw
34 22 0:44 / /disk rw - overlay overlay rw,upperdir=/disk
";

    fn judged(path: &str, numbers: &[(&str, u64)]) -> Result<(), Unfit> {
        let magic = |path: &Path| {
            let of = numbers.iter().filter(|(front, _)| path.starts_with(front));
            of.max_by_key(|(front, _)| front.len()).map(|(_, number)| *number)
        };
        judge(Path::new(path), LIST, &magic, LAYERS_MAX)
    }

    #[test]
    fn a_file_system_is_known_by_its_number_and_what_lies_below_it() {
        let ext4 = 0xef53;
        for (path, numbers, expected) in [
            ("/var/lib", &[("/", ext4)][..], Ok(())),
            ("/run/x", &[("/", ext4), ("/run", VOLATILE[0])], Err(Unfit::Volatile)),
            ("/run/x", &[("/run", VOLATILE[1])], Err(Unfit::Volatile)),
            ("/nfs/x", &[("/nfs", 0x6969)], Err(Unfit::Network)),
            ("/smb/x", &[("/smb", 0xfe53_4d42)], Err(Unfit::Network)),
            ("/nine/x", &[("/nine", 0x0102_1997)], Err(Unfit::Network)),
            ("/cloud/x", &[("/cloud", FUSE)], Err(Unfit::Network)),
            ("/stick/x", &[("/stick", FUSE)], Ok(())),
            ("/mnt/a b/x", &[("/mnt", OVERLAY), ("/mem", VOLATILE[0])], Err(Unfit::Volatile)),
            ("/mnt/a b/x", &[("/mnt", OVERLAY), ("/mem", ext4)], Ok(())),
            // The upper layer cannot be seen from here: nothing is known of it.
            ("/mnt/a b/x", &[("/mnt", OVERLAY)], Ok(())),
            // Layers that lie on themselves end.
            ("/disk/x", &[("/disk", OVERLAY)], Ok(())),
            ("/anything", &[], Ok(())),
        ] {
            assert_eq!(judged(path, numbers), expected, "{path} {numbers:?}");
        }
        assert_eq!(Mount::of(Path::new("/srv"), LIST).unwrap().kind, "ext4");
    }

    #[test]
    fn a_directory_that_others_may_enter_is_closed_and_what_they_could_read_is_counted() {
        let dir = tempfile::tempdir().unwrap();
        let set = |path: &Path, mode| {
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        };
        let (store, secret) = (dir.path().join("store"), dir.path().join("device-secret"));
        let (open, closed) = (store.join("a"), store.join("b"));
        fs::create_dir(&store).unwrap();
        for path in [&open, &closed, &secret] {
            fs::write(path, "x").unwrap();
        }
        for (state, mode, expected) in [(0o700, 0o644, 0), (0o755, 0o644, 2), (0o777, 0o600, 3)] {
            for (path, mode) in [(&store, 0o700), (&open, mode), (&closed, 0o600), (&secret, mode)]
            {
                set(path, mode);
            }
            set(dir.path(), state);
            assert_eq!(look(dir.path()).is_open, state != 0o700);
            assert_eq!(close(dir.path()), Ok(expected), "{state:o} {mode:o}");
            let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
            assert_eq!(mode(dir.path()), 0o700);
            assert!(state == 0o700 || mode(&open) == 0o600 && mode(&secret) == 0o600);
            assert_eq!(close(dir.path()), Ok(0));
        }
    }

    #[test]
    fn a_place_that_others_can_exchange_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (above, state) = (dir.path().join("above"), dir.path().join("above/state"));
        fs::create_dir_all(state.join("store")).unwrap();
        let set = |path: &Path, mode| {
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        };
        for (mode, expected) in [(0o755, None), (0o1777, None), (0o777, Some(Unfit::OpenParent))] {
            set(&above, mode);
            let expected = expected.map_or(Ok(()), |unfit| Err(StoreFault::Unfit(unfit)));
            assert_eq!(owned(&state), expected, "{mode:o}");
            assert_eq!(owned(&above.join("not/yet")), expected, "{mode:o}");
        }
        set(&above, 0o755);
        // The directory's own mode is mended, not refused.
        set(&state, 0o777);
        assert_eq!(owned(&state), Ok(()));
        let file = state.join("store/cart");
        fs::write(&file, "x").unwrap();
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&file, Some(4_711), None).unwrap();
            assert_eq!(owned(&state), Err(StoreFault::Unfit(Unfit::ForeignOwner)));
            std::os::unix::fs::chown(&file, Some(0), None).unwrap();
            std::os::unix::fs::chown(&state, Some(4_711), None).unwrap();
            assert_eq!(owned(&state), Err(StoreFault::Unfit(Unfit::ForeignOwner)));
        }
    }
}
