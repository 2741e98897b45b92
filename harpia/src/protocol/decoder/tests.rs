//! Tests of the decoder: each rule, split input, and the memory that the decoder takes.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const LIMIT: usize = 1 << 20;
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Decodes the input of a peer that does not compress.
fn decode(
    decoder: &mut Decoder,
    input: &mut [u8],
    max_message: usize,
) -> Result<(usize, Option<Event>), Violation> {
    let limits = DecodeLimits {
        max_message,
        deflate: false,
        budget: &Arc::new(Budget::new(usize::MAX)),
    };
    let decoded = decoder.decode(input, &limits)?;
    Ok((decoded.taken, decoded.event))
}

/// Makes a masked frame with this first byte.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..126 => frame.push(0x80 | len as u8),
        len @ 126..65_536 => {
            frame.push(0x80 | 126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(0x80 | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(
        payload
            .iter()
            .zip(MASK.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    frame
}

/// Decodes input that arrives in pieces. Returns all events, and the violation that ends it.
fn read<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    limit: usize,
) -> (Vec<Event>, Option<Violation>) {
    let mut decoder = Decoder::new();
    let mut events = Vec::new();
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut rest = &mut piece[..];
        while !rest.is_empty() {
            match decode(&mut decoder, rest, limit) {
                Ok((taken, event)) => {
                    assert!(event.is_some() || taken == rest.len(), "input is left");
                    events.extend(event);
                    rest = &mut rest[taken..];
                }
                Err(violation) => return (events, Some(violation)),
            }
            let most = limit + 2 * size_of::<Partial>() + 125;
            assert!(decoder.held() <= most, "{} bytes held", decoder.held());
        }
    }
    (events, None)
}

fn violation(input: &[u8]) -> Option<Violation> {
    let (_, whole) = read([input], LIMIT);
    let (_, by_byte) = read(input.chunks(1), LIMIT);
    assert_eq!(whole, by_byte);
    whole
}

fn text(text: &str) -> Event {
    Event::Message(text.into())
}

#[test]
fn an_idle_decoder_has_the_size_of_a_pointer() {
    assert_eq!(size_of::<Decoder>(), size_of::<usize>());
}

#[test]
fn each_broken_rule_is_its_own_violation() {
    let long_control = [vec![0x89, 0x80 | 126, 0, 126], MASK.to_vec()].concat();
    let high_bit = [vec![0x82, 0x80 | 127, 0x80], vec![0; 7], MASK.to_vec()].concat();
    let not_minimal = [vec![0x82, 0x80 | 126, 0, 5], MASK.to_vec(), vec![0; 5]].concat();
    let too_big = [
        vec![0x82, 0x80 | 127],
        (LIMIT as u64 + 1).to_be_bytes().to_vec(),
        MASK.to_vec(),
    ];
    let in_message = [frame(0x01, b"a"), frame(0x81, b"b")].concat();
    for (input, expected) in [
        (vec![0x81, 0x01, b'a'], Violation::Unmasked),
        (frame(0xc1, b"a"), Violation::ReservedBits),
        (frame(0x83, b"a"), Violation::ReservedOpcode),
        (frame(0x8b, b""), Violation::ReservedOpcode),
        (not_minimal, Violation::LongLength),
        (high_bit, Violation::LengthHighBit),
        (frame(0x09, b"a"), Violation::FragmentedControl),
        (long_control, Violation::LongControl),
        (in_message, Violation::MessageInMessage),
        (frame(0x80, b"a"), Violation::NothingToContinue),
        (frame(0x88, &[3]), Violation::HalfCloseCode),
        (frame(0x88, &[3, 0xe8, 0xff]), Violation::CloseReason),
        (frame(0x81, &[0xc0]), Violation::Utf8),
        (frame(0x81, &[0xe2, 0x82]), Violation::Utf8),
        (
            [frame(0x01, &[0xe2]), frame(0x80, &[0x82])].concat(),
            Violation::Utf8,
        ),
        (too_big.concat(), Violation::TooBig),
    ] {
        assert_eq!(violation(&input), Some(expected), "{input:x?}");
    }
}

#[test]
fn close_codes_that_must_not_be_sent_are_a_violation() {
    for code in [0_u16, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
        let found = violation(&frame(0x88, &code.to_be_bytes()));
        assert_eq!(found, Some(Violation::CloseCode), "{code}");
    }
    for code in [1000_u16, 1003, 1007, 1014, 3000, 4999] {
        assert_eq!(violation(&frame(0x88, &code.to_be_bytes())), None, "{code}");
    }
}

#[test]
fn invalid_text_is_found_before_its_frame_is_complete() {
    let whole = frame(0x81, b"ab\xffcdefgh");
    let (_, found) = read([&whole[..9]], LIMIT);
    assert_eq!(found, Some(Violation::Utf8));
    let (_, found) = read([&whole[..8]], LIMIT);
    assert_eq!(found, None);
}

#[test]
fn the_size_limit_covers_all_fragments_and_is_checked_before_the_payload() {
    let fragments = [frame(0x02, &[0; 6]), frame(0x80, &[0; 5])].concat();
    assert_eq!(read([&fragments[..]], 11).1, None);
    assert_eq!(read([&fragments[..18]], 10).1, Some(Violation::TooBig));
}

#[test]
fn control_frames_are_read_between_fragments() {
    let input = [
        frame(0x01, "hä".as_bytes()),
        frame(0x89, b"?"),
        frame(0x80, b"lt"),
    ]
    .concat();
    let (events, violation) = read(input.chunks(3), LIMIT);
    assert_eq!(violation, None);
    assert_eq!(events, [Event::Ping(Bytes::from("?")), text("hält")]);
}

#[test]
fn a_close_frame_is_read_with_its_code_and_reason() {
    let close = [&[0x03, 0xe8][..], "tschüss".as_bytes()].concat();
    let input = [frame(0x88, &close), frame(0x88, b"")].concat();
    let expected = [
        Event::Close(CloseFrame::new(CloseCode::NORMAL, "tschüss")),
        Event::Close(CloseFrame::bare(CloseCode::NO_STATUS)),
    ];
    assert_eq!(read([&input[..]], LIMIT).0, expected);
}

#[test]
fn a_compressed_message_costs_its_longer_form_however_it_is_split() {
    let limits = DecodeLimits {
        max_message: LIMIT,
        deflate: true,
        budget: &Arc::new(Budget::new(usize::MAX)),
    };
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let empty_blocks = [0, 0, 0, 0xff, 0xff].repeat(100);
    for (payload, message, cost) in [(&hello[..], "Hello", 7), (&empty_blocks, "", 500)] {
        let mut whole = frame(0xc1, payload);
        let mut split = whole.clone();
        let decoded = Decoder::new().decode(&mut whole, &limits).unwrap();
        assert_eq!((decoded.event, decoded.cost), (Some(text(message)), cost));
        let (start, end) = split.split_at_mut(9);
        let mut decoder = Decoder::new();
        assert_eq!(decoder.decode(start, &limits).unwrap().cost, 0);
        let decoded = decoder.decode(end, &limits).unwrap();
        assert_eq!((decoded.event, decoded.cost), (Some(text(message)), cost));
    }
}

#[test]
fn no_memory_is_held_after_a_large_message() {
    let input = frame(0x82, &vec![7; 300_000]);
    let mut decoder = Decoder::new();
    for piece in input.chunks(10_000) {
        decode(&mut decoder, &mut piece.to_vec(), LIMIT).unwrap();
    }
    assert_eq!(decoder.held(), 0);
}

#[test]
fn empty_fragments_take_no_memory() {
    let mut decoder = Decoder::new();
    decode(&mut decoder, &mut frame(0x01, b""), LIMIT).unwrap();
    let held = decoder.held();
    for _ in 0..1000 {
        decode(&mut decoder, &mut frame(0x00, b""), LIMIT).unwrap();
    }
    assert_eq!(decoder.held(), held);
}

/// A message, the size of its fragments, and whether a ping is sent between them.
#[derive(Clone, Debug)]
struct Sent {
    message: Message,
    cut: usize,
    ping: bool,
}

fn sent() -> impl Strategy<Value = Sent> {
    let text = ".{0,200}".prop_map(Message::from);
    let binary = vec(any::<u8>(), 0..400).prop_map(Message::from);
    (prop_oneof![text, binary], 1usize..500, any::<bool>()).prop_map(|(message, cut, ping)| Sent {
        message,
        cut,
        ping,
    })
}

fn wire(sent: &[Sent]) -> (Vec<u8>, Vec<Event>) {
    let (mut bytes, mut events) = (Vec::new(), Vec::new());
    for Sent { message, cut, ping } in sent {
        let opcode = if message.is_text() { 1 } else { 2 };
        let mut pieces: Vec<&[u8]> = message.as_bytes().chunks(*cut).collect();
        if pieces.is_empty() {
            pieces.push(&[]);
        }
        let last = pieces.len() - 1;
        for (at, piece) in pieces.into_iter().enumerate() {
            let fin = if at == last { 0x80 } else { 0 };
            bytes.extend(frame(fin | if at == 0 { opcode } else { 0 }, piece));
            if *ping && at != last {
                bytes.extend(frame(0x89, b"hi"));
                events.push(Event::Ping(Bytes::from("hi")));
            }
        }
        events.push(Event::Message(message.clone()));
    }
    (bytes, events)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn input_decodes_to_the_same_messages_however_it_is_split(
        sent in vec(sent(), 1..6),
        sizes in vec(1usize..300, 1..40),
    ) {
        let (bytes, events) = wire(&sent);
        let mut pieces = Vec::new();
        let mut rest = &bytes[..];
        for size in sizes {
            let (piece, more) = rest.split_at(size.min(rest.len()));
            pieces.push(piece);
            rest = more;
        }
        pieces.push(rest);
        prop_assert_eq!(read(pieces, LIMIT), (events.clone(), None));
        prop_assert_eq!(read([&bytes[..]], LIMIT), (events, None));
    }

    #[test]
    fn arbitrary_bytes_decode_to_the_same_result_however_they_are_split(
        start in vec(sent(), 0..2),
        noise in vec(any::<u8>(), 0..200),
        size in 1usize..50,
    ) {
        let mut bytes = wire(&start).0;
        bytes.extend(noise);
        let limit = 1000;
        prop_assert_eq!(read([&bytes[..]], limit), read(bytes.chunks(size), limit));
    }
}
