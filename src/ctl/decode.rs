//! `wardkeepctl decode`: GATT frames to observations, for biomed staff with an odd device.
