//! What leads from an earlier part to a later one: compared at the node that returns, applied at the one that receives, while the rows pass by.

use std::io::{BufReader, ErrorKind, Read};

use sharing::act::ObjectRef;
use sharing::return_flow::delta::{self, DeltaError, Line, MAX_SECTION_BYTES, SECTION_HEAD};
use sharing::return_flow::{Difference, Intake, Sorting};

use super::SplitError;
use super::pieces::{Pieces, Rows};
use crate::delivery::MAX_OBJECT_BYTES;
use crate::storage::objects::{ObjectError, ObjectReader, Objects};

/// Stores what leads from an earlier part to this one; none where it is not smaller, or where the two have not one order: the whole part is sent
/// then, as it is the first time. `columns` are those of the division and of the key.
///
/// # Errors
/// [`SplitError`] when the earlier part is not here any more or cannot be read.
pub(super) fn between(
    objects: &Objects,
    (base, part): (&ObjectRef, &ObjectRef),
    (division, key): (&str, Option<&str>),
    sorting: &Sorting<'_>,
) -> Result<Option<Difference>, SplitError> {
    let open = |object: &ObjectRef| {
        let intake = Intake::new(division).naming(key);
        let mut pieces = Pieces::open(objects, &object.digest, intake)?;
        let header = pieces.begin()?.to_owned();
        Ok::<_, SplitError>((header, Rows::of(pieces)))
    };
    let (header, mut old) = open(base)?;
    let (other, mut new) = open(part)?;
    if header != other {
        return Ok(None);
    }
    let line = |field: &[u8], name: &[u8], row: &str| Line {
        order: sorting.key(field).order(),
        row: row.to_owned(),
        name: name.to_vec(),
    };
    let mut writer = objects.writer(part.length)?;
    let ordered = delta::compare::<SplitError>(
        (base.digest, part.digest),
        || old.next(line),
        || new.next(line),
        key.is_some(),
        |section| Ok(writer.put(&section)?),
    );
    let ordered = match ordered {
        // It would be longer than the part.
        Err(SplitError::Object(ObjectError::TooLarge { .. })) => false,
        ordered => ordered?,
    };
    if !ordered || writer.length() >= part.length {
        return Ok(None);
    }
    let stored = writer.store()?;
    let name = part.name.strip_suffix(".csv").unwrap_or(&part.name);
    Ok(Some(Difference {
        base: base.digest,
        delta: ObjectRef {
            digest: stored.digest,
            length: stored.length,
            name: format!("{name}.delta"),
        },
    }))
}

/// Stores the part to which a difference leads; false when what came out is another.
///
/// # Errors
/// [`SplitError`] when the difference or its base is not here or does not fit.
pub(in crate::delivery) fn apply(
    objects: &Objects,
    difference: &Difference,
    part: &ObjectRef,
) -> Result<bool, SplitError> {
    let mut base = Pieces::open(objects, &difference.base, Intake::any())?;
    let mut writer = objects.writer(part.length.min(MAX_OBJECT_BYTES))?;
    writer.put(base.begin()?.as_bytes())?;
    writer.put(b"\n")?;
    let mut rows = Rows::of(base);
    let mut sections = BufReader::new(objects.get(&difference.delta.digest)?);
    delta::apply::<SplitError>(
        (difference.base, part.digest),
        || section(&mut sections),
        || rows.next(|_, _, row| row.to_owned()),
        |row| {
            writer.put(row.as_bytes())?;
            Ok(writer.put(b"\n")?)
        },
    )?;
    Ok(writer.store()?.digest == part.digest)
}

/// The next section of a difference; none at its end.
fn section(file: &mut BufReader<ObjectReader>) -> Result<Option<Vec<u8>>, SplitError> {
    let mut head = [0; SECTION_HEAD];
    match file.read(&mut head[..1])? {
        0 => return Ok(None),
        read => file.read_exact(&mut head[read..]).map_err(broken)?,
    }
    let length = u32::from_le_bytes(head) as usize;
    if length > MAX_SECTION_BYTES {
        return Err(DeltaError::BrokenOff.into());
    }
    let mut section = vec![0; length];
    file.read_exact(&mut section).map_err(broken)?;
    Ok(Some(section))
}

fn broken(error: std::io::Error) -> SplitError {
    match error.kind() {
        ErrorKind::UnexpectedEof => DeltaError::BrokenOff.into(),
        _ => error.into(),
    }
}
