//! R36: who administers a node's machine reads no file and nothing that was said of a person on its disk; who reads through the node is on record.

use sharing::correction::{CorrectionAct, CorrectionRequest};
use sharing::private::Content;

use super::*;

/// Stands in the file that is shared.
const MARKER: &str = "李四光的低保证号";
/// Names a person.
const SAID: &str = "张三丰的低保待遇已于去年停发";

/// Row G2.
#[test]
fn a_file_is_read_on_record_alone_and_no_disk_holds_it_or_what_was_said_in_clear() {
    let mut story = applied(start(), conditional());
    let agreed = grant(&story.live, &story.entry);
    reply(&mut story.live, &story.provider, story.docket, agreed);
    // Above the grain of a transfer, so that it has a tree of digests too.
    let rows = format!("code,name\n{}", format!("1,{MARKER}\n").repeat(2_000));
    let object = story
        .live
        .upload(story.provider.node, "低保对象.csv", rows.as_bytes());
    let (provide, digest) = (
        ActBody::Provide {
            docket: story.docket,
            object: object.clone(),
        },
        object.digest,
    );
    staff(&story.live, &story.provider, Role::Operator, provide).expect("provided");
    let both = [story.requester.node, story.provider.node];
    for node in both {
        in_phase(&story.live, node, story.docket, "provided");
    }
    let wrong = Content::new([1; 32], SAID.into()).expect("a text");
    let evidence = Content::new([2; 32], "停发通知书".into()).expect("a text");
    let ask = ActBody::Correction(CorrectionAct::Ask(CorrectionRequest {
        about: story.docket,
        items: vec!["名称".into()],
        wrong: wrong.private(),
        evidence: evidence.private(),
    }));
    let operator = Person::of(&story.requester, Role::Operator, story.live.now());
    let ask = story.live.sign(story.requester.node, &operator, ask);
    let asked = story
        .live
        .post_with(story.requester.node, &ask, &[wrong, evidence]);
    let correction = asked.expect("asked").docket.expect("a docket");
    for node in both {
        let path = format!("/dockets/{correction}/private");
        let said = |it: &serde_json::Value| it[0]["text"] == SAID;
        got(&story.live, node, &path, said);
    }
    // The unlawful twins: whoever may only look, and whoever has no token.
    let path = format!("/objects/{digest}");
    let looked = story.live.viewer_get(story.requester.node, &path);
    assert_eq!(looked.status, 403);
    let stranger = story
        .live
        .public_get(story.requester.node, &format!("/api/v1{path}"));
    assert_eq!(stranger.status, 401);
    assert_eq!(read_of(&story.live, story.requester.node, &digest), 0);
    let fetched = story.live.download(story.requester.node, &digest);
    assert_eq!(fetched.as_deref(), Ok(rows.as_bytes()));
    assert_eq!(read_of(&story.live, story.requester.node, &digest), 1);
    for node in story.live.codes() {
        for clear in [MARKER, SAID] {
            assert!(
                !story.live.keeps(node, clear.as_bytes()),
                "{clear} at {node}"
            );
        }
    }
    // And what lies there is not lost on those who may read it.
    story.live.restart(story.requester.node);
    let again = story.live.download(story.requester.node, &digest);
    assert_eq!(again.as_deref(), Ok(rows.as_bytes()));
}

/// How many readings of a file stand on a node's record.
fn read_of(live: &Federation, node: Code, digest: &identity::Digest) -> usize {
    let readings = live.get(node, "/readings");
    let of_it = |it: &&serde_json::Value| it["what"]["object"]["digest"] == digest.to_string();
    let items = readings["items"].as_array().into_iter().flatten();
    items.filter(of_it).count()
}
