//! What a federation says and keeps, one file for each kind: real encodings, from which fuzzing starts.
//!
//! With `GUANTONG_FUZZ_SEEDS=DIR` they are written into `DIR/TARGET/`, as `scripts/fuzz` asks for; always it is shown that each of them is read by
//! the decoder that it is a seed of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use federation::core::query;
use federation::service::{CallHead, CallId, CallMethod, CallTarget, Piece};
use federation::store::Batch;
use federation::sync::Segment;
use federation::wire::{
    CircuitRequest, CircuitWants, Envelope, Frame, MAX_FRAME_BYTES, Notice, ObjectRequest, Payload,
};
use guantong_tests::World;
use identity::at_rest::{Header, Name, ObjectKey, Part, StorageKey};
use identity::{Chain, ChunkSealer, Digest, Direction, Domain, Signed, codec};
use node::api::acts::{ActRequest, PrepareRequest};
use node::storage::journal::Journal;
use serde::de::DeserializeOwned;
use sharing::act::{ActBody, SignedAct};
use sharing::docket::{DocketBody, DocketEvent, DocketId};
use sharing::ledger::Checkpoint;
use sharing::return_flow::{ReturnFlowEvent, ReturnTable, Subscription};
use statute::Role;

use crate::stage::{application, apply, code, conditional, demo, grant, provider, reply};

/// Seeds of one target: some of each shape, and few enough to go through at once.
const SEEDS_OF_A_TARGET: usize = 60;
/// A seed is no longer than this, bytes: long ones slow every round down and reach nothing new.
const MAX_SEED_BYTES: usize = 64 << 10;

/// The seeds by target.
#[derive(Default)]
struct Seeds(BTreeMap<&'static str, BTreeSet<Vec<u8>>>);

impl Seeds {
    fn add(&mut self, target: &'static str, bytes: Vec<u8>) {
        if bytes.len() <= MAX_SEED_BYTES {
            self.0.entry(target).or_default().insert(bytes);
        }
    }

    /// Adds what decodes as a `T`.
    fn add_as<T: DeserializeOwned>(&mut self, target: &'static str, bytes: &[u8]) -> Option<T> {
        let value = codec::decode(bytes, MAX_FRAME_BYTES).ok()?;
        self.add(target, bytes.to_vec());
        Some(value)
    }

    fn frame(&mut self, bytes: &[u8]) {
        match self
            .add_as::<Frame>("frame", bytes)
            .expect("a frame was sent")
        {
            Frame::Hello { chain, .. } => self.add("chain", codec::encode(&chain)),
            Frame::Push { envelope, origin } => {
                self.add("envelope", codec::encode(&(envelope, origin)));
            }
            Frame::SyncSegments { segments, .. } => {
                for segment in &segments {
                    self.add("segment", codec::encode(segment));
                    self.add("segment", segment.body.clone());
                }
            }
            Frame::CheckpointOffer { checkpoint, .. } => {
                self.add("checkpoint", codec::encode(&checkpoint));
            }
            _ => {}
        }
        self.add("core", bytes.to_vec());
    }

    /// A body is told apart by what it decodes as; one that decodes as several is a seed of each.
    fn body(&mut self, bytes: &[u8]) {
        let payload = self.add_as::<Payload>("envelope", bytes);
        if let Some(Payload::ReferDispute { copy, .. }) = payload {
            self.add("event", codec::encode(&copy));
        }
        if let Some(act) = self.add_as::<SignedAct>("act", bytes) {
            self.add("act", act.act.bytes().to_vec());
            let sent = serde_json::to_vec(&ActRequest::new(&act, &[])).expect("JSON");
            self.add("api", sent);
            if let Ok(act) = act.act.claimed(MAX_FRAME_BYTES) {
                let body = PrepareRequest {
                    body: act.body,
                    at: Some(act.at),
                };
                self.add("api", serde_json::to_vec(&body).expect("JSON"));
            }
        }
        if let Some(event) = self.add_as::<Signed<DocketEvent>>("event", bytes) {
            self.add("event", event.bytes().to_vec());
            let said = event.claimed(MAX_FRAME_BYTES).map(|event| event.body);
            if let Ok(DocketBody::ReturnFlow(ReturnFlowEvent::Delivering { notice, .. })) = said {
                self.add("manifest", codec::encode(&notice));
            }
        }
        self.add_as::<(Signed<Envelope>, Chain)>("envelope", bytes);
        self.add_as::<Notice>("act", bytes);
        self.add_as::<Segment>("segment", bytes);
        self.add_as::<Signed<Checkpoint>>("checkpoint", bytes);
    }

    fn write(&self, dir: &Path) {
        for (target, seeds) in &self.0 {
            let dir = dir.join(target);
            std::fs::create_dir_all(&dir).expect("a folder");
            let every = seeds.len().div_ceil(SEEDS_OF_A_TARGET);
            for seed in seeds.iter().step_by(every.max(1)) {
                let name = Digest::of(Domain::Body, seed).to_string();
                std::fs::write(dir.join(&name[..16]), seed).expect("written");
            }
        }
    }
}

/// An application that was granted, and rows that were returned.
fn story() -> (World, Seeds) {
    let mut world = demo(81);
    let mut seeds = Seeds::default();
    let (provider, entry) = provider(&mut world, "210102", conditional());
    let requester = world.department(code("440106"), 2, "民政局");
    let wanted = application(&world, &requester, &provider, &entry);
    let docket = apply(&mut world, &requester, wanted);
    world.settle();
    let granting = grant(&world, &entry);
    reply(&mut world, &provider, docket, granting);
    let of = Subscription {
        source: code("mca"),
        origin: code("mca"),
        dataset: "divisions".parse().unwrap(),
        area: "440106".parse().unwrap(),
        schedule: "daily@18:00".parse().unwrap(),
    };
    let operator = world.staff(&requester, Role::Operator);
    world
        .act(code("440106"), &operator, ActBody::Subscribe(of))
        .expect("subscribed");
    world.settle();
    let rows = b"code,name\n440106,a\n440104,b\n440106,c\n210102,d\n";
    let table = ReturnTable {
        dataset: "divisions".parse().unwrap(),
        table: world.upload(code("mca"), "t.csv", rows),
        division_column: "code".into(),
        key_column: Some("code".into()),
        assigned: vec![],
        query: "2024年末行政区划".into(),
        source_rows: 4,
    };
    let source = world.department(code("mca"), 1, "民政部");
    let operator = world.staff(&source, Role::Operator);
    world
        .act(code("mca"), &operator, ActBody::ReturnTable { table })
        .expect("returned");
    world.settle();
    world.settle();
    let evidence = query::docket_evidence(world.read(provider.node), docket);
    let evidence = evidence.expect("memory").expect("a checkpoint covers it");
    seeds.add("docket_evidence", codec::encode(&evidence));
    let index = world.records(provider.node).len() as u64 / 2;
    let evidence = query::evidence_at(world.read(provider.node), index);
    let evidence = evidence.expect("memory").expect("a checkpoint covers it");
    seeds.add("evidence", evidence.encode());
    seeds.add(
        "checkpoint",
        codec::encode(&(&evidence.checkpoint, &evidence.chain)),
    );
    (world, seeds)
}

/// A journal of two batches, as it lies on a disk.
fn journal(world: &World) -> Vec<u8> {
    let node = code("440106");
    let dir = tempfile::tempdir().expect("a folder");
    let (mut journal, _) = Journal::open(dir.path()).expect("a new journal");
    let bodies = world.bodies(node).take(2);
    for (record, body) in world.records(node).iter().zip(bodies) {
        let batch = Batch {
            records: vec![record.clone()],
            bodies: vec![(Digest::of(Domain::Body, body), body.clone())],
            ..Batch::default()
        };
        journal.append(&batch).expect("written");
    }
    let mut files = std::fs::read_dir(dir.path()).expect("a folder");
    let file = files.next().expect("a file").expect("readable");
    std::fs::read(file.path()).expect("readable")
}

/// What goes over circuits, and the head of a file at rest.
fn streams(seeds: &mut Seeds) {
    let head = CallHead {
        id: CallId(Digest::object(b"call")),
        docket: DocketId(Digest::object(b"docket")),
        purpose: "社会救助资格核验".into(),
        fields: vec!["姓名".into()],
        method: CallMethod::Get,
        target: CallTarget::parse("/people?id=1").expect("a target"),
        content_type: None,
        accept: Some("application/json".to_owned().try_into().expect("a header")),
        body: false,
    };
    let pieces = [
        Piece::Head(Box::new(head)),
        Piece::Data(b"{}".to_vec()),
        Piece::EndOfRequest,
    ];
    for piece in pieces {
        seeds.add("call", piece.encode());
    }
    seeds.add("call", b"/people/%E5%A7%93?id=1".to_vec());
    let request = CircuitRequest {
        key: [3; 32],
        wants: CircuitWants::Object(ObjectRequest {
            docket: DocketId(Digest::object(b"docket")),
            object: Digest::object(b"object"),
            offset: 0,
        }),
    };
    seeds.add("circuit", codec::encode(&request));
    let mut sealer = ChunkSealer::new([3; 32], Direction::Backward);
    let chunk = sealer.seal_chunk(b"rows", true).expect("the first chunk");
    seeds.add("circuit", chunk);
    let name = Name {
        digest: Digest::object(b""),
        part: Part::Content,
    };
    let (object, storage) = (
        ObjectKey::from_bytes([1; 32]),
        StorageKey::from_bytes([9; 32]),
    );
    let header = Header::new(&name, 70_000, &object, &storage, [2; 32]);
    seeds.add("at_rest", header.expect("a length").encode().to_vec());
}

/// Files as they come with the program.
fn files(seeds: &mut Seeds) {
    for text in [
        include_str!("../../topology/demo.toml"),
        "code,name,parent,level\n100000,全国,,nation\n440000,广东省,100000,province\n",
    ] {
        seeds.add("topology", text.into());
    }
    for text in [
        include_str!("../../topology/profiles/national.toml"),
        include_str!("../../topology/profiles/shenyang.toml"),
    ] {
        seeds.add("profile", text.into());
    }
    for text in [
        include_str!("../../crates/statute/data/calendar/2025.toml"),
        include_str!("../../crates/statute/data/calendar/2026.toml"),
    ] {
        seeds.add("calendar", text.into());
    }
    for text in [
        "440106",
        "100000/440000/440100/440106",
        "3/210102/000001",
        "R21",
        "2026-03",
        "daily@18:00",
        "440106001",
        "112101027000000011",
    ] {
        seeds.add("names", text.into());
    }
    for text in [
        include_str!("../../topology/platforms/csv.toml"),
        include_str!("../../topology/platforms/ckan.toml"),
    ] {
        seeds.add("mapping", text.into());
    }
    let table = include_bytes!("../../topology/platforms/catalogue.csv");
    seeds.add("catalogue_csv", table.to_vec());
    let catalogue = r#"{"@context":{"dcat":"http://www.w3.org/ns/dcat#","dct":"http://purl.org/dc/terms/"},"@type":"dcat:Catalog","dcat:dataset":[{"@id":"a","@type":"dcat:Dataset","dct:title":"低保"}]}"#;
    seeds.add("catalogue_dcat", catalogue.into());
    let tokens = format!(
        "[[token]]\nrole = \"viewer\"\ndigest = \"{}\"\nnote = \"\"\n",
        "0".repeat(64)
    );
    seeds.add("tokens", tokens.into());
    seeds.add("table", b"code,name\n440106,\"a, b\"\n,c\n".to_vec());
    seeds.add("table", b"code,parent\n440000,\n440100,440000\n".to_vec());
    seeds.add(
        "delta",
        b"code,name\n440106,a\n\0code,name\n440106,b\n".to_vec(),
    );
}

#[test]
fn what_a_federation_writes_seeds_the_fuzzing_of_every_decoder() {
    let (world, mut seeds) = story();
    for frame in &world.captured {
        seeds.frame(frame);
    }
    for node in world.codes() {
        for record in world.records(node) {
            seeds.add("record", record.clone());
        }
        for body in world.bodies(node) {
            seeds.body(body);
        }
    }
    seeds.add("journal", journal(&world));
    streams(&mut seeds);
    files(&mut seeds);
    for target in [
        "act",
        "api",
        "calendar",
        "chain",
        "checkpoint",
        "core",
        "docket_evidence",
        "envelope",
        "event",
        "evidence",
        "frame",
        "journal",
        "manifest",
        "profile",
        "record",
        "segment",
        "topology",
    ] {
        assert!(seeds.0.contains_key(target), "no seed of {target}");
    }
    if let Some(dir) = std::env::var_os("GUANTONG_FUZZ_SEEDS") {
        seeds.write(Path::new(&dir));
    }
}
