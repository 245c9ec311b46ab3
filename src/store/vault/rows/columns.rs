//! Observations as rows of the vault, both ways without loss.
//!
//! A row's columns are what the database orders and finds rows by: device, number, code, subject, times.
//! What was measured is in its body, sealed with the patient's data key before the database library sees
//! it, and bound to those columns: a body that was moved to another row does not open.
//!
//! The nonce is the row's identity (device, run, number), which is given out once and which is taken once
//! ([`crate::vault::rows::taken`]). So one key never meets the same nonce with different content in a row that is kept, and
//! no random numbers are drawn for each of them.

use jiff::Timestamp;
use rusqlite::Row;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::crypto::{Key, NONCE_LEN, open_as, seal_as};
use crate::record::codec::{self, BODY_LEN, Body};
use crate::vault::database::fault::VaultFault;
use crate::vault::rows::series::Common;
use wardkeep_model::encounter::SubjectId;
use wardkeep_model::keeping::StoreFault;
use wardkeep_model::vitals::DeviceId;
use wardkeep_model::vitals::nomenclature::Mdc;
use wardkeep_model::vitals::{Observation, RecordId};

/// Domain of the nonces of observations, apart from whatever else a device's numbers may seal.
const DOMAIN: u8 = 1;
/// Bytes that the cipher adds to a body.
const TAG_LEN: usize = 16;

/// The one word of a fieldless enum, as its serialisation spells it.
pub fn word<T: Serialize>(value: &T) -> Result<String, VaultFault> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        Ok(_) | Err(_) => Err(StoreFault::Damaged.into()),
    }
}

/// The value of a word.
pub(in crate::vault) fn from_word<T: DeserializeOwned>(word: String) -> Result<T, VaultFault> {
    serde_json::from_value(serde_json::Value::String(word)).map_err(|_| StoreFault::Damaged.into())
}

/// A stored instant.
pub fn timestamp(micros: i64) -> Result<Timestamp, VaultFault> {
    Ok(Timestamp::from_microsecond(micros).map_err(|_| StoreFault::Damaged)?)
}

/// Instants of rows are counted from here, in microseconds: from autumn 2025 to autumn 2034 they then take six
/// bytes instead of eight, once in the row and once in its index.
pub const EFFECTIVE_FROM_US: i64 = 1_900_000_000_000_000;

/// An instant in microseconds since 1970 as a row has it.
pub(in crate::vault) fn to_effective(micros: i64) -> i64 {
    micros.saturating_sub(EFFECTIVE_FROM_US)
}

/// The instant of a row, in microseconds since 1970.
pub(in crate::vault) fn from_effective(effective: i64) -> i64 {
    effective.saturating_add(EFFECTIVE_FROM_US)
}

/// The columns of a row that are not sealed.
pub struct Columns {
    /// Which device.
    pub device: DeviceId,
    /// Run and number of the device.
    pub record: RecordId,
    /// What was measured.
    pub code: Mdc,
    /// Of whom.
    pub subject: Option<SubjectId>,
    /// When it was measured.
    pub effective_us: i64,
    /// When it was received.
    pub received_us: i64,
}

impl Columns {
    /// The columns of an observation.
    pub fn of(observation: &Observation) -> Self {
        Self {
            device: observation.device,
            record: observation.record,
            code: observation.code,
            subject: observation.subject,
            effective_us: observation.effective.as_microsecond(),
            received_us: observation.received.as_microsecond(),
        }
    }

    /// The columns of a row as [`crate::vault::rows`] reads it, of a series with this in common.
    pub fn read(common: &Common, row: &Row<'_>) -> Result<Self, VaultFault> {
        let (seq, effective, delay_us): (i64, i64, i64) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let effective_us = from_effective(effective);
        Ok(Self {
            device: common.device,
            record: RecordId { run: common.run, seq: seq.cast_unsigned() },
            code: common.code,
            subject: common.subject,
            effective_us,
            received_us: effective_us.wrapping_add(delay_us),
        })
    }

    /// When it was measured, as a row has it.
    pub(in crate::vault) fn effective(&self) -> i64 {
        to_effective(self.effective_us)
    }

    /// How much later than measured it was received.
    pub(in crate::vault) fn delay_us(&self) -> i64 {
        self.received_us.wrapping_sub(self.effective_us)
    }

    fn nonce(&self) -> [u8; NONCE_LEN] {
        let mut nonce = [0; NONCE_LEN];
        let parts = std::iter::once(DOMAIN)
            .chain(self.device.0)
            .chain(self.record.run.to_be_bytes())
            .chain(self.record.seq.to_be_bytes());
        for (byte, part) in nonce.iter_mut().zip(parts) {
            *byte = part;
        }
        nonce
    }

    /// What the body is bound to, beside its patient by the key, and device and number by the nonce.
    fn bound(&self) -> [u8; 20] {
        let mut bound = [0; 20];
        let (code, times) = bound.split_at_mut(4);
        let (effective, received) = times.split_at_mut(8);
        code.copy_from_slice(&self.code.0.to_be_bytes());
        effective.copy_from_slice(&self.effective_us.to_be_bytes());
        received.copy_from_slice(&self.received_us.to_be_bytes());
        bound
    }

    /// Puts the sealed body into the buffer, instead of what is in it.
    pub fn seal(
        &self,
        key: &Key,
        observation: &Observation,
        buffer: &mut Zeroizing<Vec<u8>>,
    ) -> Result<(), VaultFault> {
        let length = BODY_LEN + observation.status.len() + TAG_LEN;
        if buffer.capacity() < length {
            // Growing would leave copies behind.
            *buffer = Zeroizing::new(Vec::with_capacity(length));
        }
        buffer.clear();
        codec::put_observation(observation, buffer);
        Ok(seal_as(key, &self.nonce(), &self.bound(), buffer)?)
    }

    /// Opens the body of the row.
    pub fn open(&self, key: &Key, sealed: Vec<u8>) -> Result<Body, VaultFault> {
        let mut body = Zeroizing::new(sealed);
        open_as(key, &self.nonce(), &self.bound(), &mut body).ok_or(StoreFault::Damaged)?;
        Ok(codec::observation_body(&body).map_err(StoreFault::from)?)
    }
}
