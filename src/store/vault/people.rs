//! People, their tokens and their fingers as rows of the vault.
//!
//! The cart compartment says who may log in with what, because it must be known while locked; these
//! rows add what only an open vault may know: names, private keys and fingerprint templates, each sealed
//! before the database library sees it. A row whose token is not in the cart compartment means nothing.

use rusqlite::{Connection, OptionalExtension, params};

use crate::crypto::Key;
use crate::keys::vault_keys::{Held, PeopleKey, SealedKey, VaultKeys};
use crate::vault::database::Vault;
use crate::vault::database::fault::VaultFault;
use crate::vault::rows::columns::{from_word, timestamp, word};
use crate::vault::{TemplateRow, TokenRow};
use wardkeep_model::access::OperatorId;
use wardkeep_model::access::factor::{Finger, Template, TemplateId};
use wardkeep_model::confidential::{Phi, Secret};
use wardkeep_model::keeping::StoreFault;

/// Stores a person's name and private key.
///
/// # Errors
/// As writing a file.
pub fn add_operator(
    vault: &mut Vault,
    id: OperatorId,
    name: &Phi<String>,
    private: &SealedKey,
) -> Result<(), VaultFault> {
    vault.write(|transaction, keys| {
        let name = keys.people().hold(Held::Name(id), name.reveal().as_bytes())?;
        transaction.execute(
            "INSERT INTO operators (id, name, private) VALUES (?1, ?2, ?3)",
            params![id.0.to_be_bytes(), name, private.0],
        )?;
        Ok(())
    })
}

/// A person's name.
///
/// # Errors
/// `Damaged` if the vault does not know the person.
pub fn operator_name(vault: &Vault, id: OperatorId) -> Result<Phi<String>, VaultFault> {
    let name: Vec<u8> = vault.connection.query_row(
        "SELECT name FROM operators WHERE id = ?1",
        [id.0.to_be_bytes()],
        |row| row.get(0),
    )?;
    text(vault.patients.people(), Held::Name(id), &name)
}

/// The names of everybody there is or was.
///
/// # Errors
/// As reading a file.
pub fn names(vault: &Vault) -> Result<Vec<(OperatorId, Phi<String>)>, VaultFault> {
    let mut statement = vault.connection.prepare_cached("SELECT id, name FROM operators")?;
    let mut rows = statement.query([])?;
    let mut names = Vec::new();
    while let Some(row) = rows.next()? {
        let id = OperatorId(u128::from_be_bytes(row.get(0)?));
        let sealed: Vec<u8> = row.get(1)?;
        names.push((id, text(vault.patients.people(), Held::Name(id), &sealed)?));
    }
    Ok(names)
}

/// A person's private key, opened.
///
/// # Errors
/// `Damaged` if they have none, or it was sealed under another master key; otherwise as reading a file.
pub fn private_key(vault: &Vault, keys: &VaultKeys, id: OperatorId) -> Result<Key, StoreFault> {
    let sealed = sealed_private_key(vault, id)?.ok_or(StoreFault::Damaged)?;
    keys.held(Held::Private(id), &sealed)
}

/// A person's private key as its row holds it; `None` for somebody who left.
///
/// # Errors
/// As reading a file.
pub fn sealed_private_key(vault: &Vault, id: OperatorId) -> Result<Option<SealedKey>, VaultFault> {
    let private: Option<Option<Vec<u8>>> = vault
        .connection
        .query_row("SELECT private FROM operators WHERE id = ?1", [id.0.to_be_bytes()], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(private.flatten().map(SealedKey))
}

/// Replaces private keys (`None` for somebody who leaves), and everybody's tokens, in one
/// transaction.
///
/// # Errors
/// As writing a file; then nothing was replaced.
pub fn rewrite(
    vault: &mut Vault,
    privates: &[(OperatorId, Option<SealedKey>)],
    tokens: &[(OperatorId, TokenRow)],
) -> Result<(), VaultFault> {
    vault.write(|transaction, keys| {
        for (id, private) in privates {
            transaction.execute(
                "UPDATE operators SET private = ?2 WHERE id = ?1",
                params![id.0.to_be_bytes(), private.as_ref().map(|sealed| &sealed.0)],
            )?;
        }
        transaction.execute("DELETE FROM tokens", [])?;
        for (operator, token) in tokens {
            insert_token(transaction, keys.people(), *operator, token)?;
        }
        Ok(())
    })
}

/// Seals everything that is not a person's key anew, for the vault's next master key, in one
/// transaction: names, subjects of cards, templates, and every patient's wrapped key.
///
/// # Errors
/// `Damaged` if something was not sealed under the old master key; otherwise as writing a file.
pub fn reseal(vault: &mut Vault, old: &VaultKeys) -> Result<(), VaultFault> {
    let old_people = old.people();
    vault.write(|transaction, keys| {
        let people = (&old_people, keys.people());
        let id = u128::from_be_bytes;
        reseal_column(transaction, people, ("operators", "id", "name"), |row| {
            Held::Name(OperatorId(id(row)))
        })?;
        reseal_column(transaction, people, ("tokens", "slot", "subject"), Held::CardSubject)?;
        reseal_column(transaction, people, ("templates", "id", "print"), |row| {
            Held::Print(TemplateId(id(row)))
        })?;
        keys.rewrap(transaction, old)
    })
}

/// Stores tokens in one transaction.
///
/// # Errors
/// As writing a file; then none of them was kept.
pub fn add_tokens(
    vault: &mut Vault,
    operator: OperatorId,
    tokens: &[TokenRow],
) -> Result<(), VaultFault> {
    vault.write(|transaction, keys| {
        for token in tokens {
            insert_token(transaction, keys.people(), operator, token)?;
        }
        Ok(())
    })
}

/// A person's tokens.
///
/// # Errors
/// As reading a file.
pub fn tokens(vault: &Vault, operator: OperatorId) -> Result<Vec<TokenRow>, VaultFault> {
    let mut statement = vault
        .connection
        .prepare_cached("SELECT slot, kind, subject, share, kek FROM tokens WHERE operator = ?1")?;
    let mut rows = statement.query([operator.0.to_be_bytes()])?;
    let mut tokens = Vec::new();
    while let Some(row) = rows.next()? {
        let slot: [u8; 16] = row.get(0)?;
        let subject: Option<Vec<u8>> = row.get(2)?;
        let subject =
            subject.map(|sealed| text(vault.patients.people(), Held::CardSubject(slot), &sealed));
        let share: Option<Vec<u8>> = row.get(3)?;
        tokens.push(TokenRow {
            slot,
            kind: from_word(row.get(1)?)?,
            subject: subject.transpose()?,
            share: share.map(SealedKey),
            kek: SealedKey(row.get(4)?),
        });
    }
    Ok(tokens)
}

/// Removes a person's tokens but these.
///
/// # Errors
/// As writing a file.
pub fn keep_tokens(
    vault: &mut Vault,
    operator: OperatorId,
    kept: &[[u8; 16]],
) -> Result<(), VaultFault> {
    let there = tokens(vault, operator)?;
    vault.write(|transaction, _| {
        for token in there.iter().filter(|token| !kept.contains(&token.slot)) {
            transaction.execute("DELETE FROM tokens WHERE slot = ?1", [token.slot])?;
        }
        Ok(())
    })
}

/// Stores a fingerprint template.
///
/// # Errors
/// As writing a file.
pub fn add_template(
    vault: &mut Vault,
    operator: OperatorId,
    row: &TemplateRow,
) -> Result<(), VaultFault> {
    let Template { id, finger, sensor, print } = &row.template;
    let sensor =
        serde_json::to_string(sensor).map_err(StoreFault::Io.because("writing a sensor"))?;
    let finger = word(finger)?;
    vault.write(|transaction, keys| {
        let print = keys.people().hold(Held::Print(*id), print.expose())?;
        transaction.execute(
            "INSERT INTO templates (id, operator, finger, sensor, print, since_us)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                id.0.to_be_bytes(),
                operator.0.to_be_bytes(),
                finger,
                sensor,
                print,
                row.since.as_microsecond(),
            ],
        )?;
        Ok(())
    })
}

/// A person's fingerprint templates with the time of their enrolment.
///
/// # Errors
/// As reading a file.
pub fn template_rows(vault: &Vault, operator: OperatorId) -> Result<Vec<TemplateRow>, VaultFault> {
    let mut statement = vault.connection.prepare_cached(
        "SELECT id, finger, sensor, print, since_us FROM templates
         WHERE operator = ?1 ORDER BY since_us, id",
    )?;
    let mut rows = statement.query([operator.0.to_be_bytes()])?;
    let mut templates = Vec::new();
    while let Some(row) = rows.next()? {
        let sensor: String = row.get(2)?;
        let finger: Finger = from_word(row.get(1)?)?;
        let id = TemplateId(u128::from_be_bytes(row.get(0)?));
        let print: Vec<u8> = row.get(3)?;
        let print = vault.patients.people().held(Held::Print(id), &print)?;
        let template = Template {
            id,
            finger,
            sensor: serde_json::from_str(&sensor)
                .map_err(StoreFault::Damaged.because("reading a sensor"))?,
            print: Secret::new(print.to_vec()),
        };
        let since = timestamp(row.get(4)?)?;
        templates.push(TemplateRow { template, since });
    }
    Ok(templates)
}

/// A person's fingerprint templates.
///
/// # Errors
/// As reading a file.
pub fn templates(vault: &Vault, operator: OperatorId) -> Result<Vec<Template>, VaultFault> {
    Ok(template_rows(vault, operator)?.into_iter().map(|row| row.template).collect())
}

/// Removes one template, or all templates of a person. True if there was one.
///
/// # Errors
/// As writing a file.
pub fn remove_templates(
    vault: &mut Vault,
    operator: OperatorId,
    only: Option<TemplateId>,
) -> Result<bool, VaultFault> {
    vault.write(|transaction, _| {
        let removed = transaction.execute(
            "DELETE FROM templates WHERE operator = ?1 AND (?2 IS NULL OR id = ?2)",
            params![operator.0.to_be_bytes(), only.map(|id| id.0.to_be_bytes())],
        )?;
        Ok(removed > 0)
    })
}

fn reseal_column(
    connection: &Connection,
    (old, new): (&PeopleKey, &PeopleKey),
    (table, id, column): (&str, &str, &str),
    held: impl Fn([u8; 16]) -> Held,
) -> Result<(), VaultFault> {
    let sql = format!("SELECT {id}, {column} FROM {table} WHERE {column} NOT NULL");
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let rows: Vec<([u8; 16], Vec<u8>)> = rows.collect::<Result<_, _>>()?;
    let sql = format!("UPDATE {table} SET {column} = ?2 WHERE {id} = ?1");
    for (id, sealed) in rows {
        let content = old.held(held(id), &sealed)?;
        connection.execute(&sql, params![id, new.hold(held(id), &content)?])?;
    }
    Ok(())
}

fn text(people: &PeopleKey, which: Held, sealed: &[u8]) -> Result<Phi<String>, VaultFault> {
    let opened = people.held(which, sealed)?;
    let text =
        std::str::from_utf8(&opened).map_err(StoreFault::Damaged.because("reading a name"))?;
    Ok(Phi::new(text.to_owned()))
}

fn insert_token(
    connection: &Connection,
    people: &PeopleKey,
    operator: OperatorId,
    token: &TokenRow,
) -> Result<(), VaultFault> {
    let seal =
        |text: &Phi<String>| people.hold(Held::CardSubject(token.slot), text.reveal().as_bytes());
    connection
        .prepare_cached(
            "INSERT INTO tokens (slot, operator, kind, subject, share, kek)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            token.slot,
            operator.0.to_be_bytes(),
            word(&token.kind)?,
            token.subject.as_ref().map(seal).transpose()?,
            token.share.as_ref().map(|sealed| &sealed.0),
            token.kek.0,
        ])?;
    Ok(())
}
