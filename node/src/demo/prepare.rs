//! Everything before the first node runs: addresses, keys, data folders, configurations.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use identity::Code;
use serde_json::Value;
use statute::Role;

use super::Failure;
use super::command::text;
use super::layout::{Kind, Layout, PersonSite, Site, make_private_dir};
use super::roster::{Person, Place, Roster};
use super::screen::Screen;
use super::stage::Stage;
use crate::person;

/// First port tried for links; below those that the system gives to outgoing connections, so that a node that starts again finds its own
/// port free.
const FIRST_LINK_PORT: u16 = 17_000;
/// First port tried for HTTP.
const FIRST_HTTP_PORT: u16 = 18_000;
/// Ports tried for one address.
const PORTS_TRIED: u16 = 1_000;
/// Where containers listen.
const CONTAINER_LINK_PORT: u16 = 7_000;
const CONTAINER_HTTP_PORT: u16 = 8_080;
/// The containers' network: nodes have the addresses from .11 on.
const CONTAINER_NETWORK: [u8; 3] = [172, 30, 0];
/// Loopback addresses of the nodes: 127.0.7.11 and on, so that each page has cookies of its own.
const LOOPBACK_NETWORK: [u8; 3] = [127, 0, 7];
const FIRST_HOST: u8 = 11;
/// Where a container has its data folder.
pub const CONTAINER_DATA: &str = "/data";
/// The root's key, below the demo's folder.
const ROOT_KEY: &str = "root/root.key";
/// A node's request, below its folder.
pub const REQUEST: &str = "enrolment-request.json";

/// Prepares a folder for a demo.
///
/// # Errors
/// [`Failure`] when the folder is in use, an address is taken, or a command fails.
pub fn prepare(dir: &Path, kind: Kind, screen: Arc<Screen>) -> Result<Stage, Failure> {
    let dir = std::path::absolute(dir).map_err(|error| Failure::new(text(dir), error))?;
    empty(&dir)?;
    let roster = Roster::load().map_err(|error| Failure::new("topology/demo", error))?;
    let mut nodes = Vec::with_capacity(roster.nodes.len());
    for (place, host) in roster.nodes.iter().zip(FIRST_HOST..) {
        nodes.push(site(place, kind, host)?);
    }
    let people = roster
        .nodes
        .iter()
        .flat_map(|place| &place.people)
        .map(person_site)
        .collect();
    let passphrase = hex::encode(
        person::random_bytes::<16>().map_err(|error| Failure::new("passphrase", error))?,
    );
    let layout = Layout {
        dir,
        kind,
        passphrase,
        nodes,
        people,
    };
    let stage = Stage::new(layout, screen)?;
    folders(&stage)?;
    keys(&stage)?;
    data_folders(stage)
}

/// A folder that is not there, or has nothing in it.
fn empty(dir: &Path) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::new(text(dir), error);
    match fs::read_dir(dir) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(Failure::new(
                text(dir),
                "目录不为空：请换一个目录，或先清空它 / the folder is not empty: name another, or empty it",
            )),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_private_dir(dir).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

fn site(place: &Place, kind: Kind, host: u8) -> Result<Site, Failure> {
    let (ip, link, http) = match kind {
        Kind::Containers => {
            let [a, b, c] = CONTAINER_NETWORK;
            (
                Ipv4Addr::new(a, b, c, host),
                CONTAINER_LINK_PORT,
                CONTAINER_HTTP_PORT,
            )
        }
        Kind::Local => {
            let [a, b, c] = LOOPBACK_NETWORK;
            let own = Ipv4Addr::new(a, b, c, host);
            // Where only 127.0.0.1 is configured, all share it.
            let ip = if TcpListener::bind((own, 0)).is_ok() {
                own
            } else {
                Ipv4Addr::LOCALHOST
            };
            let offset = if ip == own { 0 } else { u16::from(host) };
            (
                ip,
                free_port(ip, FIRST_LINK_PORT + offset)?,
                free_port(ip, FIRST_HTTP_PORT + offset)?,
            )
        }
    };
    Ok(Site {
        code: place.code(),
        name: place.name.clone(),
        parent: place.path.ancestors().next(),
        ip: ip.to_string(),
        link: format!("/ip4/{ip}/tcp/{link}"),
        http: format!("http://{ip}:{http}"),
        data: PathBuf::from("nodes").join(place.code().as_str()),
        token: String::new(),
        viewer: String::new(),
    })
}

/// The first free port from `first` on, found by binding it.
fn free_port(ip: Ipv4Addr, first: u16) -> Result<u16, Failure> {
    let free = (first..first.saturating_add(PORTS_TRIED))
        .step_by(100)
        .find(|port| TcpListener::bind((IpAddr::V4(ip), *port)).is_ok());
    free.ok_or_else(|| {
        Failure::new(
            ip.to_string(),
            format!("端口 {first} 起均被占用 / all ports from {first} on are in use"),
        )
    })
}

fn person_site(person: &Person) -> PersonSite {
    PersonSite {
        node: person.node,
        role: person.role,
        name: person.name.clone(),
        department: person.department_name.clone(),
        key: PathBuf::from("people")
            .join(person.node.as_str())
            .join(format!("{}.key", person.role)),
    }
}

fn folders(stage: &Stage) -> Result<(), Failure> {
    let layout = &stage.layout;
    let own = ["root", "nodes", "work", "logs", "people"].map(|name| layout.dir.join(name));
    let people = layout
        .nodes
        .iter()
        .map(|site| layout.dir.join("people").join(site.code.as_str()));
    for dir in own.into_iter().chain(people) {
        make_private_dir(&dir).map_err(|error| Failure::new(text(&dir), error))?;
    }
    Ok(())
}

/// The root's key, and a key for every person: made by those who hold them, outside every node's folder.
fn keys(stage: &Stage) -> Result<(), Failure> {
    let root = text(&stage.layout.dir.join(ROOT_KEY));
    offline(stage, &["root", "init", "--out", &root, "--demonstration"])?;
    let people: Vec<&Person> = stage
        .roster
        .nodes
        .iter()
        .flat_map(|place| &place.people)
        .collect();
    let (shared, own): (Vec<&Person>, Vec<&Person>) =
        people.into_iter().partition(|person| person.shares_key());
    stage
        .screen
        .progress(own.len(), stage.pick("生成人员密钥", "people's keys"));
    stage.side_by_side(&own, |person| {
        let key = text(&stage.key(person)?);
        offline(stage, &["person", "new", "--out", &key, "--demonstration"]).map(drop)
    })?;
    for person in shared {
        let (from, to) = (
            stage.layout.key(person.keeper, person.role)?,
            stage.key(person)?,
        );
        for ending in ["key", "pub"] {
            let (from, to) = (from.with_extension(ending), to.with_extension(ending));
            fs::copy(&from, &to).map_err(|error| Failure::new(text(&from), error))?;
        }
    }
    Ok(())
}

/// Every node's folder with its keys and its request; the head of its authority; the hub's certificate, signed with the root's key.
fn data_folders(mut stage: Stage) -> Result<Stage, Failure> {
    stage.screen.progress(
        stage.roster.nodes.len(),
        stage.pick("建立节点", "nodes' folders"),
    );
    let places: Vec<&Place> = stage.roster.nodes.iter().collect();
    stage.side_by_side(&places, |place| init(&stage, place))?;
    stage.screen.progress_done();
    let hub = stage.site(Code::HUB)?;
    let request = text(&stage.layout.data(hub).join(REQUEST));
    let (root, chain) = (
        text(&stage.layout.dir.join(ROOT_KEY)),
        text(&stage.layout.work(&chain_file(Code::HUB))),
    );
    let witnesses = witnesses(&stage.roster, &stage.roster.nodes[0]);
    let mut args = vec![
        "root",
        "sign",
        "--request",
        &request,
        "--root-key",
        &root,
        "--out",
        &chain,
    ];
    args.extend(
        witnesses
            .iter()
            .flat_map(|code| ["--witness", code.as_str()]),
    );
    offline(&stage, &args)?;
    let tokens: Vec<(String, String)> = stage
        .layout
        .nodes
        .iter()
        .map(|site| tokens(&stage.layout, site))
        .collect::<Result<_, _>>()?;
    for (site, (admin, viewer)) in stage.layout.nodes.iter_mut().zip(tokens) {
        (site.token, site.viewer) = (admin, viewer);
    }
    if stage.layout.kind == Kind::Containers {
        for site in &stage.layout.nodes {
            inside_container(&stage.layout, site)?;
        }
    }
    stage.layout.write()?;
    Ok(stage)
}

/// `guantong init` for one node, and the certificate of the head of its authority.
fn init(stage: &Stage, place: &Place) -> Result<(), Failure> {
    let site = stage.site(place.code())?;
    let head = stage.person(place.code(), Role::AuthorityHead)?;
    let key = stage.key(head)?;
    let (data, head_public) = (
        text(&stage.layout.data(site)),
        text(&key.with_extension("pub")),
    );
    let root = text(&stage.layout.dir.join(ROOT_KEY).with_extension("pub"));
    let level = serde_json::to_value(place.level)
        .ok()
        .and_then(|level| level.as_str().map(str::to_owned))
        .unwrap_or_default();
    let (link, http) = match stage.layout.kind {
        Kind::Local => (
            site.link.clone(),
            site.http.trim_start_matches("http://").to_owned(),
        ),
        Kind::Containers => (
            format!("/ip4/0.0.0.0/tcp/{CONTAINER_LINK_PORT}"),
            format!("0.0.0.0:{CONTAINER_HTTP_PORT}"),
        ),
    };
    let mut args = vec![
        "init",
        "--data",
        &data,
        "--code",
        site.code.as_str(),
        "--name",
        &site.name,
        "--level",
        &level,
    ];
    args.extend([
        "--authority-head",
        &head_public,
        "--root",
        &root,
        "--link-listen",
        &link,
        "--http-listen",
        &http,
    ]);
    let parent = site.parent.map(|parent| stage.site(parent)).transpose()?;
    if let Some(parent) = parent {
        args.extend(["--link-parent", &parent.link]);
    }
    offline(stage, &args)?;
    let (key, credit) = (text(&key), head.department.to_string());
    offline(
        stage,
        &[
            "enroll",
            "head",
            "--key",
            &key,
            "--name",
            &head.name,
            "--department",
            &credit,
            "--at",
            site.code.as_str(),
        ],
    )?;
    Ok(())
}

/// Two witnesses outside a node's own line: ministries and provinces that are neither above nor below it.
pub fn witnesses(roster: &Roster, place: &Place) -> Vec<Code> {
    let outside = |other: &&Place| {
        other.path.depth() == 2
            && !other.path.contains(place.code())
            && !place.path.contains(other.code())
    };
    let hub = place.code() == Code::HUB;
    roster
        .nodes
        .iter()
        .filter(|other| other.path.depth() == 2 && (hub || outside(other)))
        .map(Place::code)
        .take(2)
        .collect()
}

/// Name of the file with a node's certificate chain, in the folder of work.
pub fn chain_file(code: Code) -> String {
    format!("{code}.chain.json")
}

fn tokens(layout: &Layout, site: &Site) -> Result<(String, String), Failure> {
    let read = |role: &str| {
        let path = layout
            .data(site)
            .join("tokens")
            .join(format!("{role}.token"));
        fs::read_to_string(&path)
            .map(|text| text.trim().to_owned())
            .map_err(|error| Failure::new(text(&path), error))
    };
    Ok((read("admin")?, read("viewer")?))
}

/// In a container the data folder is mounted elsewhere than it was made.
fn inside_container(layout: &Layout, site: &Site) -> Result<(), Failure> {
    let path = layout.config(site);
    let failed = |error: &dyn std::fmt::Display| Failure::new(text(&path), error);
    let read = fs::read_to_string(&path).map_err(|error| failed(&error))?;
    let mut config: toml::Table = toml::from_str(&read).map_err(|error| failed(&error))?;
    config.insert("data_dir".into(), CONTAINER_DATA.into());
    let written = toml::to_string(&config).map_err(|error| failed(&error))?;
    fs::write(&path, written).map_err(|error| failed(&error))
}

fn offline(stage: &Stage, args: &[&str]) -> Result<Value, Failure> {
    let what = args.iter().take(2).copied().collect::<Vec<_>>().join(" ");
    stage
        .commands
        .offline(args)
        .map_err(|why| Failure::new(format!("guantong {what}"), why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn witnesses_stand_outside_the_line_of_their_node() {
        let roster = Roster::load().unwrap();
        for place in &roster.nodes {
            let named = witnesses(&roster, place);
            assert_eq!(named.len(), 2, "{}", place.name);
            assert!(
                named
                    .iter()
                    .all(|code| *code != place.code() && !place.path.contains(*code)),
                "{}",
                place.name
            );
        }
    }

    #[test]
    fn a_folder_in_use_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("mine"), "x").unwrap();
        assert!(empty(dir.path()).is_err());
        assert_eq!(fs::read_to_string(dir.path().join("mine")).unwrap(), "x");
        assert!(empty(&dir.path().join("new")).is_ok() && dir.path().join("new").is_dir());
    }

    #[test]
    fn containers_have_an_address_each_and_the_ports_of_the_image() {
        let roster = Roster::load().unwrap();
        let sites: Vec<Site> = roster
            .nodes
            .iter()
            .zip(FIRST_HOST..)
            .map(|(place, host)| site(place, Kind::Containers, host).unwrap())
            .collect();
        assert_eq!(sites[0].http, "http://172.30.0.11:8080");
        assert_eq!(sites[1].link, "/ip4/172.30.0.12/tcp/7000");
        let addresses: std::collections::BTreeSet<&str> =
            sites.iter().map(|site| site.ip.as_str()).collect();
        assert_eq!(addresses.len(), sites.len());
    }
}
