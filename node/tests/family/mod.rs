//! A hub with a ministry and a province, their keys and certificates, for tests that need real members.
#![allow(dead_code, missing_docs)]

use federation::core::Me;
use identity::{
    Certificate, Chain, Code, EnrolmentRequest, Level, Moment, OpeningKey, Signed, SigningKey,
    Terms,
};
use node::runtime::NodeKeys;
use node::runtime::driver::now;
use node::transport::transport_public;
use statute::{Calendar, Profile};

/// One member: `seed` makes all its keys.
#[derive(Clone)]
pub struct Member {
    pub seed: u8,
    pub code: Code,
    pub chain: Chain,
    certificate: Certificate,
}

fn root() -> SigningKey {
    SigningKey::from_seed([0xf0; 32])
}

fn signing(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

fn opening(seed: u8) -> OpeningKey {
    OpeningKey::from_seed(1, [seed ^ 0x55; 32])
}

pub fn transport_seed(seed: u8) -> [u8; 32] {
    [seed ^ 0xaa; 32]
}

fn far() -> Moment {
    now().plus_days(30)
}

fn request(seed: u8, code: Code, name: &str, level: Level) -> Signed<EnrolmentRequest> {
    let request = EnrolmentRequest {
        code,
        name: name.into(),
        level,
        signing_key: signing(seed).verify_key(),
        transport_key: transport_public(transport_seed(seed)).unwrap(),
        sealing_key: opening(seed).sealing_key(far()),
        authority_head: SigningKey::from_seed([seed ^ 0x77; 32]).verify_key(),
        created: now(),
    };
    request.sign(&signing(seed))
}

fn terms(serial: u64) -> Terms {
    Terms {
        serial,
        epoch: 1,
        witnesses: vec![],
        valid_from: now().plus_days(-1),
        valid_until: far(),
    }
}

fn member(seed: u8, code: Code, chain: Chain) -> Member {
    let certificate = chain
        .verify(&root().verify_key(), now(), &|_, _| false)
        .unwrap()
        .certificate()
        .clone();
    Member {
        seed,
        code,
        chain,
        certificate,
    }
}

pub fn hub() -> Member {
    let certificate = identity::issue_hub(
        &request(1, Code::HUB, "国家枢纽", Level::Hub),
        &root(),
        terms(1),
    )
    .unwrap();
    member(1, Code::HUB, Chain::new(vec![certificate]))
}

impl Member {
    pub fn certify(&self, seed: u8, code: &str, name: &str, level: Level) -> Member {
        let code: Code = code.parse().unwrap();
        let request = request(seed, code, name, level);
        let certificate = identity::issue(
            &request,
            &self.certificate,
            &signing(self.seed),
            terms(u64::from(seed)),
        )
        .unwrap();
        member(seed, code, self.chain.with(certificate))
    }

    pub fn transport_key(&self) -> [u8; 32] {
        self.certificate.transport_key
    }

    pub fn proved(&self) -> identity::Member {
        self.chain
            .verify(&root().verify_key(), now(), &|_, _| false)
            .unwrap()
    }

    pub fn keys(&self) -> NodeKeys {
        let me = Me {
            signing: signing(self.seed),
            opening: vec![opening(self.seed)],
            root: root().verify_key(),
            software: "test".into(),
            calendar: Calendar::national(),
            profile: Profile::national(),
        };
        NodeKeys {
            me,
            transport_seed: transport_seed(self.seed),
        }
    }
}
