"""Whether an episode is as it was written: every record, hash and index, and what they say."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from mcap.opcode import Opcode
from zstandard import compress, decompress

from agent.episode.container import Contents, walked
from agent.episode.content import check_content
from agent.episode.digest import DIGEST, Digest
from agent.episode.file import FILE_NAME, SOUNDS
from agent.episode.finding import Finding
from agent.episode.records import MAGIC, read_index
from agent.errors import EpisodeError


def verify(path: Path) -> list[Finding]:
    """Return all that is wrong with an episode, nothing where all is as it was written.

    Args:
        path: The MCAP file, or the folder it lies in.

    Raises:
        EpisodeError: There is no such file.
    """
    file = path / FILE_NAME if path.is_dir() else path
    try:
        found = walked(file)
    except OSError as error:
        raise EpisodeError(
            f"The episode {file} cannot be read ({error.strerror}); give the folder or the .mcap"
            " file of an episode."
        ) from error
    damaged = found.lost or bool(found.findings) or not all(e.whole for e in found.events)
    _check_digest(found)
    check_content(found)
    if found.start is None:
        problem = "was never closed: its mission was killed or still runs, or it was cut later"
        found.say("the file", problem, len(found.data))
    else:
        _check_index(found, found.start, damaged)
        _check_data(found)
        if DIGEST not in found.metadata and not damaged:
            found.say("the file", "has no SHA-256 of its messages: an older Bosun wrote it")
    return found.findings


def _check_digest(found: Contents) -> None:
    """Hold the messages against the checksum of their chunk, and the hash of their topic."""
    at, told = found.metadata.get(DIGEST, (None, {}))
    known = at is not None and not found.lost
    now = _digest(found)
    changed = {t for t in {**told, **now} if told.get(t) != now.get(t)} if known else set()
    for event in found.events:
        topics = [topic for topic in event.parts if topic in changed or not known]
        if event.whole:
            continue
        if topics:
            problem = "is not what the checksum of its chunk was made of"
            found.say(", ".join(topics), problem, event=event)
        else:
            what = f"the chunk of {', '.join(event.parts)}"
            problem = "has another checksum, though the messages in it are as they were written"
            found.say(what, problem, event=event)
        changed -= set(topics)
    if not changed:
        return
    topics = sorted(changed)
    if found.checksum == found.checksum_now:
        what, problem = ", ".join(topics), f"was changed: it has not the SHA-256 of byte {at}"
        found.say(what, problem)
    else:
        problem = f"is damaged: it does not hold the SHA-256 of {', '.join(topics)}"
        found.say(f"metadata {DIGEST!r}", problem, at)


def _digest(found: Contents) -> dict[str, str]:
    digest = Digest()
    for event in found.events:
        for topic, message in event.parts.items():
            digest.add(topic, message.sequence, message.log_time, message.data)
    for number, sound in enumerate(found.attached.values(), 1):
        digest.add(SOUNDS, number, 0, sound)
    return digest.values()


def _check_index(found: Contents, start: int, damaged: bool) -> None:
    """Compare the index of a file, record by record, with what it must be.

    What is damaged before it makes another index; of that one, only the checksum is looked at.
    """
    data, at = found.data, start
    if damaged:
        if read_index(BytesIO(data), len(data)) is None:
            found.say("the index at its end", "is damaged, too", start)
        return
    expected = found.index.records(start)
    if len(data) < start + len(b"".join(expected)) + len(MAGIC):
        found.say("the index at its end", "is cut", start)
        return
    for record in expected:
        if data[at : at + len(record)] != record:
            kind = Opcode(record[0]).name.lower().replace("_", " ")
            found.say(f"{kind} in the index at its end", "does not tell what the file holds", at)
        at += len(record)
    if data[at:] != MAGIC:
        found.say("the magic bytes at its end", "are not those of MCAP, or not the last ones", at)


def _check_data(found: Contents) -> None:
    """Hold all before the index against its checksum, which sees what nothing else does."""
    old = found.checksum == 0 and DIGEST not in found.metadata
    if found.checksum in (None, found.checksum_now) or old or found.findings:
        return
    chunks = [record.parsed().data for record in found.chunks]
    strange = [e for e, c in zip(found.events, chunks, strict=True) if compress(decompress(c)) != c]
    # Another version of the library packs everything in another way, which tells nothing.
    for event in strange if len(strange) < len(chunks) else ():
        what = f"the packed form of {', '.join(event.parts)}"
        problem = "is not as it was written, in a byte that carries no meaning"
        found.say(what, problem, event=event)
    if not found.findings:
        problem = "is not as it was written, in a byte that carries no meaning: all else is"
        found.say("the header, a packed form or the checksum of the data", problem, len(MAGIC))
