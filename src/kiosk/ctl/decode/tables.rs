//! The tables that frames are judged by, one line of JSON for each row.

use std::io::{self, Write};

use serde_json::json;

use wardkeep_model::vitals::nomenclature::Mdc;
use wardkeep_model::vitals::plausible;
use wardkeep_model::vitals::vendor::{KNOWN, Protocol};

fn numbers(codes: &[Mdc]) -> Vec<u32> {
    codes.iter().map(|code| code.0).collect()
}

/// Prints the one table of plausible values.
pub fn limits(output: &mut impl Write) -> io::Result<()> {
    for row in plausible::LIMITS {
        let line = json!({
            "mdc": numbers(row.codes),
            "unit": row.unit.ucum(),
            "min": row.min.to_string(),
            "max": row.max.to_string(),
            "source": row.source,
        });
        writeln!(output, "{line}")?;
    }
    Ok(())
}

/// Prints the vendors' protocols: who speaks them, to which of those the kiosk links, what their frames can chart,
/// what has to be told of the device, and where they live on air.
pub fn protocols(output: &mut impl Write) -> io::Result<()> {
    for protocol in Protocol::ALL {
        let endpoint = protocol.endpoint();
        let linked = KNOWN.iter().filter(|known| known.protocol == protocol);
        let start: String = endpoint.start.iter().map(|byte| format!("{byte:02x}")).collect();
        let line = json!({
            "protocol": protocol.word(),
            "device": protocol.device(),
            "linked": linked.map(|known| known.device).collect::<Vec<_>>(),
            "mdc": numbers(protocol.measures()),
            "needs": protocol.needs(),
            "service": endpoint.service,
            "notify": endpoint.notify,
            "write": endpoint.write,
            "start": start,
        });
        writeln!(output, "{line}")?;
    }
    Ok(())
}
