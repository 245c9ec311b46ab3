//! The store for one command: opened with two factors, or with the recovery words.
//!
//! It takes the state directory for itself, so it works on a cart whose kiosk is stopped, and says so
//! otherwise. Nothing secret is taken from the command line's words: PINs and recovery words come from
//! the terminal, unseen, or from standard input.

use crate::ctl::args::{Entrance, Places};
use crate::ctl::factors::Desk;
use crate::ctl::failure::Failure;
use crate::ctl::{progress, terminal};
use wardkeep_core::config::{Config, Ignored};
use wardkeep_model::access::OperatorId;
use wardkeep_model::keeping::{Administered, Administration, FactorId, PersonRow, RecoveryPhrase};
use wardkeep_model::untrusted;
use wardkeep_store::{self as store, Options};

/// Somebody who is let in.
pub enum Access {
    /// With two factors.
    Factors(Box<Desk>),
    /// With the recovery words of this store, under these settings.
    Words(Box<(RecoveryPhrase, Options, Config)>),
}

/// The settings; says which of them were not used.
///
/// # Errors
/// There is a file that was not read: nothing is done at a terminal by settings that nobody has chosen.
pub fn settings(places: &Places) -> Result<Config, Failure> {
    let (config, ignored) = crate::settings::read(places.config().as_deref());
    for why in ignored {
        if let Ignored::File { path, why } = why {
            return Err(Failure::Settings(path, why));
        }
        terminal::complain(&format!("A setting was not used: {why}."));
    }
    Ok(config)
}

/// The store under the site's settings.
pub fn options(places: &Places, config: &Config) -> Options {
    Options::new(places.state())
        .with_policy(config.policy)
        .with_anchor(store::anchor_of_this_machine())
        .with_witness(config.witness.clone())
        .on_any_disk()
}

/// Asks for the recovery words.
///
/// # Errors
/// Nothing was typed.
pub fn recovery_words() -> Result<RecoveryPhrase, Failure> {
    Ok(terminal::secret("The 24 recovery words: ")?)
}

/// Lets somebody in, has the work done, and closes the store.
///
/// # Errors
/// There is no store, nobody was let in, or the work was not done.
pub fn with<T>(
    places: &Places,
    entrance: Entrance,
    work: impl FnOnce(&mut Access) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let config = settings(places)?;
    if !store::inspect(&places.state())?.exists {
        return Err(Failure::NoStore(places.state()));
    }
    if !entrance.recovery {
        let mut access = Access::Factors(Box::new(Desk::log_in(places, &config)?));
        let done = work(&mut access);
        if let Access::Factors(desk) = access {
            desk.close()?;
        }
        return done;
    }
    let words = recovery_words()?;
    progress::begins("Opening the store");
    work(&mut Access::Words(Box::new((words, options(places, &config), config))))
}

impl Access {
    /// Has the store do something.
    ///
    /// # Errors
    /// It was not done; nothing has changed then.
    pub fn administer(&mut self, what: Administration) -> Result<Administered, Failure> {
        match self {
            Access::Factors(desk) => desk.administer(what),
            Access::Words(words) => {
                let (phrase, options, _) = words.as_ref();
                store::administer_with_recovery(options, phrase, what)?.ok_or(Failure::Words)
            }
        }
    }

    /// Everybody of this cart.
    ///
    /// # Errors
    /// They are not shown to this person.
    pub fn people(&mut self) -> Result<Vec<PersonRow>, Failure> {
        let done = self.administer(Administration::ListPeople)?;
        if let Administered::People(rows) = done { Ok(rows) } else { Err(Failure::Unexpected) }
    }
}

/// The one person with this identity or name.
///
/// # Errors
/// Nobody is called that, or several are.
pub fn named<'a>(rows: &'a [PersonRow], who: &str) -> Result<&'a PersonRow, Failure> {
    let wanted = untrusted::comparable(who);
    one(rows, who, |person| is_called(person, &wanted))
}

/// The one person with this identity, name or initials.
///
/// # Errors
/// Nobody is called that, or several are.
pub fn known<'a>(rows: &'a [PersonRow], who: &str) -> Result<&'a PersonRow, Failure> {
    let wanted = untrusted::comparable(who);
    let has_initials = |person: &PersonRow| untrusted::comparable(&person.initials) == wanted;
    one(rows, who, |person| is_called(person, &wanted) || has_initials(person))
}

fn is_called(person: &PersonRow, wanted: &str) -> bool {
    identity(person.id) == wanted || untrusted::comparable(person.name.reveal()) == wanted
}

fn one<'a>(
    rows: &'a [PersonRow],
    who: &str,
    is_meant: impl Fn(&PersonRow) -> bool,
) -> Result<&'a PersonRow, Failure> {
    let mut found = rows.iter().filter(|person| is_meant(person));
    match (found.next(), found.next()) {
        (Some(person), None) => Ok(person),
        (Some(_), Some(_)) => Err(Failure::Several(who.to_owned())),
        (None, _) => Err(Failure::Nobody(who.to_owned())),
    }
}

/// A person's identity as it is printed.
pub fn identity(id: OperatorId) -> String {
    format!("{:032x}", id.0)
}

/// A factor's identity as it is printed.
pub fn factor_identity(id: FactorId) -> String {
    format!("{:032x}", id.0)
}
