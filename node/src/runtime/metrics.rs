//! What the node counts. The registry lives here; nothing is ever labelled by peer, so the number of series is fixed.

use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// The node's counters, gauges and histograms.
pub struct Metrics {
    registry: Mutex<Registry>,
    /// Batches committed.
    pub batches: Counter,
    /// Inputs applied.
    pub inputs: Counter,
    /// Ledger records written.
    pub records: Counter,
    /// Batches that were lost: an input met a fault, or they were not committed.
    pub faults: Counter,
    /// Inputs that met a fault alone and were dropped.
    pub input_faults: Counter,
    /// Seconds from the start of a commit until it is durable.
    pub commit_seconds: Histogram,
    /// Inputs waiting for the core.
    pub queue: Gauge,
    /// Links that are up.
    pub links: Gauge,
    /// Frames sent.
    pub frames_sent: Counter,
    /// Frames received.
    pub frames_received: Counter,
    /// Bytes of frames sent.
    pub link_bytes_sent: Counter,
    /// Bytes of frames received.
    pub link_bytes_received: Counter,
    /// Connections refused: strangers, limits, failed handshakes.
    pub connections_refused: Counter,
    /// Circuits running here, as an end or as a hop.
    pub circuits: Gauge,
    /// Bytes this node passed on as a hop, both directions.
    pub circuit_bytes: Counter,
    /// Objects fetched whole.
    pub objects_fetched: Counter,
    /// Objects served whole.
    pub objects_served: Counter,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Registers everything under `guantong_`.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("guantong");
        let counter = |registry: &mut Registry, name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let gauge = |registry: &mut Registry, name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        // 0.1 ms to 3.3 s: an NVMe flush to a disk in trouble.
        let commit_seconds = Histogram::new(exponential_buckets(0.000_1, 2.0, 16));
        registry.register(
            "commit_seconds",
            "Time until a batch is durable",
            commit_seconds.clone(),
        );
        let r = &mut registry;
        Self {
            batches: counter(r, "batches", "Batches committed"),
            inputs: counter(r, "inputs", "Inputs applied"),
            records: counter(r, "records", "Ledger records written"),
            faults: counter(r, "commit_faults", "Batches that were lost"),
            input_faults: counter(
                r,
                "input_faults",
                "Inputs that met a fault alone and were dropped",
            ),
            queue: gauge(r, "queue_inputs", "Inputs waiting for the core"),
            links: gauge(r, "links", "Links that are up"),
            frames_sent: counter(r, "frames_sent", "Link frames sent"),
            frames_received: counter(r, "frames_received", "Link frames received"),
            link_bytes_sent: counter(r, "link_sent_bytes", "Bytes of link frames sent"),
            link_bytes_received: counter(r, "link_received_bytes", "Bytes of link frames received"),
            connections_refused: counter(
                r,
                "connections_refused",
                "Connections refused: strangers, limits, failed handshakes",
            ),
            circuits: gauge(r, "circuits", "Circuits running here"),
            circuit_bytes: counter(
                r,
                "circuit_forwarded_bytes",
                "Circuit bytes passed on as a hop",
            ),
            objects_fetched: counter(r, "objects_fetched", "Objects fetched whole"),
            objects_served: counter(r, "objects_served", "Objects served whole"),
            commit_seconds,
            registry: Mutex::new(registry),
        }
    }

    /// Lets another part of the node register what it counts.
    pub fn register(&self, register: impl FnOnce(&mut Registry)) {
        register(
            &mut self
                .registry
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner()),
        );
    }

    /// Counts one committed batch.
    pub(crate) fn committed(&self, inputs: usize, records: usize, took: Duration) {
        self.batches.inc();
        self.inputs.inc_by(inputs as u64);
        self.records.inc_by(records as u64);
        self.commit_seconds.observe(took.as_secs_f64());
    }

    /// Everything in the text format of OpenMetrics.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        let registry = self
            .registry
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        match encode(&mut text, &registry) {
            Ok(()) => text,
            Err(fmt::Error) => String::from("# EOF\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_shown() {
        let metrics = Metrics::new();
        metrics.committed(3, 2, Duration::from_millis(4));
        let text = metrics.encode();
        for line in [
            "guantong_batches_total 1",
            "guantong_inputs_total 3",
            "guantong_records_total 2",
            "guantong_commit_seconds_count 1",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} missing in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
