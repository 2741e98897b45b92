//! Benchmarks of single parts of the hot path: the decoder, the encoding, the hub's log.
//!
//! Run them with `cargo bench -p harpia --features bench`. `loadtest` measures a whole server.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use harpia::Message;
use harpia::bench::{Decode, HubLog, compress, encode};

/// Returns a masked binary frame, as a client sends it.
fn frame(payload: usize) -> Vec<u8> {
    let mut frame = vec![0x82];
    match payload {
        0..126 => frame.push(0x80 | payload as u8),
        126..65_536 => {
            frame.push(0x80 | 126);
            frame.extend((payload as u16).to_be_bytes());
        }
        _ => {
            frame.push(0x80 | 127);
            frame.extend((payload as u64).to_be_bytes());
        }
    }
    frame.extend([0x12, 0x34, 0x56, 0x78]);
    frame.resize(frame.len() + payload, b'x');
    frame
}

fn decoder(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    for payload in [16, 64, 1024, 16 * 1024] {
        // As many frames as fit into one read of 64 KiB.
        let count = (64 * 1024 / (payload + 14)).max(1);
        let mut input = frame(payload).repeat(count);
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(BenchmarkId::from_parameter(payload), |bencher| {
            let mut decode = Decode::new();
            bencher.iter(|| assert_eq!(decode.run(&mut input), count));
        });
    }
    group.finish();
}

fn encoding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    for payload in [64, 1024, 16 * 1024] {
        let text = "a word or two, ".repeat(payload / 15 + 1);
        let message = Message::from(&text[..payload]);
        group.throughput(Throughput::Bytes(payload as u64));
        group.bench_function(BenchmarkId::new("plain", payload), |bencher| {
            bencher.iter(|| encode(&message));
        });
        group.bench_function(BenchmarkId::new("deflated", payload), |bencher| {
            bencher.iter(|| compress(&message));
        });
    }
    group.finish();
}

fn hub_log(criterion: &mut Criterion) {
    /// Messages in one flush round.
    const MESSAGES: usize = 1000;
    let mut group = criterion.benchmark_group("hub log");
    group.throughput(Throughput::Elements(MESSAGES as u64));
    group.bench_function("append", |bencher| {
        let mut log = HubLog::new();
        let message = Message::from("x".repeat(64));
        bencher.iter(|| assert_eq!(log.append(&message, MESSAGES), MESSAGES));
    });
    group.finish();
}

criterion_group!(benches, decoder, encoding, hub_log);
criterion_main!(benches);
