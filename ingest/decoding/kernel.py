"""The compiled heart of the columnar decoder: a small machine that walks records and fills columns.

A writer's schema becomes a program (`ingest.decoding.program`), one instruction for each field and a few for what
branches and repeats. The machine runs the program once for each record. Its position in the buffer only moves
forward and is held against the record's end before every read. Whatever is wrong with a record stops it there, with
a fault, and takes back the rows that the record has filled.

An instruction is four numbers: CODE, what to do; TABLE and SLOT, the column to fill; ARGUMENT, as the code needs it.

    SKIP         pass over ARGUMENT bytes (float, double, boolean, fixed)
    SKIP_LONG    pass over a variable-length integer (int, long, enum)
    SKIP_BYTES   pass over a length and as many bytes (bytes, string, the key of a map)
    LONG_TO_*    read an integer into a column of that type; one that is too large for int32 is a fault
    FLOAT_TO_*   read a float
    DOUBLE_TO_*  read a double
    BOOLEAN      read a boolean
    TEXT, BYTES  note where the bytes lie; those of text must be UTF-8
    FIXED        note where the next ARGUMENT bytes lie
    ENUM         note where the symbol lies in the pool; row ARGUMENT of `symbols` has their number, then they follow
    UNION        go where `jumps` says for the branch; those of this union are SLOT many from the ARGUMENT-th on
    JUMP         go to the instruction ARGUMENT
    REPEAT       begin an array or a map that ends before the instruction ARGUMENT; its rows go to TABLE, if any
    NEXT         begin the next item of the REPEAT at the instruction ARGUMENT, or go on behind it

Null needs no instruction: it is a branch of a union that fills no column, and columns are null until filled.
"""

from __future__ import annotations

import numpy as np

from ingest.compiling import BYTES_TYPE, INDEX_TYPE, Bytes, Index, compiled, part, types
from ingest.decoding.limits import MAX_ITEMS
from ingest.decoding.memory import BITS, CELLS, MEMORY_TYPE, PROGRAM_TYPE, Memory, Program
from ingest.decoding.reading import TRUNCATED, is_utf8, read_bits, read_long, read_span

SKIP, SKIP_LONG, SKIP_BYTES = range(3)
LONG_TO_INT32, LONG_TO_INT64, LONG_TO_FLOAT32, LONG_TO_FLOAT64 = range(3, 7)
FLOAT_TO_FLOAT32, FLOAT_TO_FLOAT64, DOUBLE_TO_FLOAT32, DOUBLE_TO_FLOAT64 = range(7, 11)
BOOLEAN, TEXT, BYTES, FIXED, ENUM = range(11, 16)
UNION, JUMP, REPEAT, NEXT = range(16, 20)
CODE, TABLE, SLOT, ARGUMENT = range(4)  # columns of Program.instructions
NO_TABLE = -1

# What can be wrong with a record, beside the two faults of `reading`; FULL is no fault of the record's.
GOOD = 0
BAD_BRANCH, BAD_COUNT, BAD_TEXT, BAD_SYMBOL, MISFIT, TOO_MANY, LEFT_OVER, FULL = range(3, 11)

INT32 = 1 << 31


@part
def _set_bit(bits: Bytes, at: int) -> None:
    bits[at >> 3] |= np.uint8(1 << (at & 7))


@part
def _clear_bit(bits: Bytes, at: int) -> None:
    bits[at >> 3] &= ~np.uint8(1 << (at & 7))


@part
def _skip(buffer: Bytes, position: int, end: int, code: int, size: int) -> int:
    """Pass over a field that is not wanted; return the position behind it."""
    if code == SKIP:
        return position + size if size <= end - position else -TRUNCATED
    if code == SKIP_LONG:
        return read_long(buffer, position, end)[1]
    return read_span(buffer, position, end)[1]


@part
def _store_integer(buffer: Bytes, position: int, end: int, code: int, cell: int, memory: Memory) -> int:
    value, position = read_long(buffer, position, end)
    if position < 0:
        return position
    if code == LONG_TO_INT64:
        memory.int64[cell] = value
    elif code == LONG_TO_INT32:
        if not -INT32 <= value < INT32:
            return -MISFIT
        memory.int32[cell] = value
    elif code == LONG_TO_FLOAT32:
        memory.float32[cell] = np.float32(np.float64(value))
    else:
        memory.float64[cell] = np.float64(value)
    return position


@part
def _store_float(buffer: Bytes, position: int, end: int, code: int, cell: int, memory: Memory) -> int:
    """Read a float or double; where its type stays as it is, so do all its bits."""
    size = 4 if code <= FLOAT_TO_FLOAT64 else 8
    if size > end - position:
        return -TRUNCATED
    if code == FLOAT_TO_FLOAT32:
        memory.int32[cell] = np.int32(np.uint32(read_bits(buffer, position, 4)))
    elif code == DOUBLE_TO_FLOAT64:
        memory.int64[cell] = np.int64(read_bits(buffer, position, 8))
    elif code == FLOAT_TO_FLOAT64:
        memory.float64[cell] = np.float64(np.uint32(read_bits(buffer, position, 4)).view(np.float32))
    else:
        memory.float32[cell] = np.float32(np.uint64(read_bits(buffer, position, 8)).view(np.float64))
    return position + size


@part
def _store_boolean(buffer: Bytes, position: int, end: int, cell: int, memory: Memory) -> int:
    if position == end:
        return -TRUNCATED
    _clear_bit(memory.bits, cell)  # a record that was taken back may have set it
    if buffer[position] != 0:
        _set_bit(memory.bits, cell)
    return position + 1


@part
def _store_symbol(buffer: Bytes, position: int, end: int, first: int, cell: int, memory: Memory) -> int:
    """Note where a symbol lies in the pool; counted down from -1, to be told from a place in the buffer."""
    choice, position = read_long(buffer, position, end)
    if position < 0:
        return position
    if not 0 <= choice < memory.symbols[first, 0]:
        return -BAD_SYMBOL
    memory.int64[2 * cell] = -1 - memory.symbols[first + 1 + choice, 0]
    memory.int64[2 * cell + 1] = memory.symbols[first + 1 + choice, 1]
    return position


@part
def _store_span(buffer: Bytes, position: int, end: int, code: int, size: int, cell: int, memory: Memory) -> int:
    start = position
    if code == FIXED:
        position = position + size if size <= end - position else -TRUNCATED
    else:
        start, position = read_span(buffer, position, end)
    if position < 0:
        return position
    if code == TEXT and not is_utf8(buffer, start, position):
        return -BAD_TEXT
    memory.int64[2 * cell] = start
    memory.int64[2 * cell + 1] = position - start
    return position


@part
def _store(buffer: Bytes, position: int, end: int, instruction: tuple[int, int, int, int], memory: Memory) -> int:
    """Read a wanted field into its column; return the position behind it."""
    code, table, slot, argument = instruction
    row = memory.rows[table] - 1
    cell = memory.bases[slot, CELLS] + row
    if code <= LONG_TO_FLOAT64:
        position = _store_integer(buffer, position, end, code, cell, memory)
    elif code <= DOUBLE_TO_FLOAT64:
        position = _store_float(buffer, position, end, code, cell, memory)
    elif code == BOOLEAN:
        position = _store_boolean(buffer, position, end, cell, memory)
    elif code == ENUM:
        position = _store_symbol(buffer, position, end, argument, cell, memory)
    else:
        position = _store_span(buffer, position, end, code, argument, cell, memory)
    if position >= 0:
        _set_bit(memory.bits, memory.bases[slot, BITS] + row)
    return position


@part
def _begin_row(table: int, packet: int, memory: Memory) -> None:
    memory.int32[memory.bases[table, CELLS] + memory.rows[table]] = packet
    memory.rows[table] += 1


@part
def _read_block(buffer: Bytes, position: int, end: int, table: int, memory: Memory) -> tuple[int, int]:
    """Return how many items the next block of an array or map has, and the position behind that number.

    Where the position is minus a fault, the number is the one at fault.
    """
    count, position = read_long(buffer, position, end)
    if position >= 0 and count < 0:  # the longer form: minus the number, then the block's size in bytes
        count = -count
        position = read_long(buffer, position, end)[1]
    if position < 0:
        return count, position
    if not 0 <= count <= end - position:  # every item takes a byte at least
        return count, -BAD_COUNT
    if table != NO_TABLE:
        rows = memory.rows[table] + count
        if rows - memory.before[table] > MAX_ITEMS:
            return rows - memory.before[table], -TOO_MANY
        if rows > memory.capacity[table]:
            return rows, -FULL
    return count, position


@part
def _decode_record(  # noqa: C901 - a machine is one loop over its instructions
    buffer: Bytes, position: int, end: int, packet: int, program: Program, memory: Memory, trouble: Index
) -> int:
    """Run the program over one record; return the fault.

    `trouble` gets the instruction at fault and a number: of BAD_COUNT, TOO_MANY and FULL how many items or rows, of
    LEFT_OVER how many bytes, of all others where in the buffer the field begins.
    """
    left = memory.left
    depth = counter = 0
    while counter < len(program.instructions):
        code, table = program.instructions[counter, CODE], program.instructions[counter, TABLE]
        slot, argument = program.instructions[counter, SLOT], program.instructions[counter, ARGUMENT]
        trouble[0], trouble[1] = counter, position
        counter += 1
        if code <= SKIP_BYTES:
            position = _skip(buffer, position, end, code, argument)
        elif code <= ENUM:
            position = _store(buffer, position, end, (code, table, slot, argument), memory)
        elif code == UNION:
            branch, position = read_long(buffer, position, end)
            if 0 <= branch < slot:
                counter = program.jumps[argument + branch]
            elif position >= 0:
                position = -BAD_BRANCH
        elif code == JUMP:
            counter = argument
        else:
            if code == REPEAT:
                depth += 1
                left[depth] = 0
            else:
                left[depth] -= 1
                counter = argument + 1
            if left[depth] == 0:
                left[depth], position = _read_block(buffer, position, end, table, memory)
                trouble[1] = left[depth]
            if left[depth] == 0:
                depth -= 1
                counter = program.instructions[counter - 1, ARGUMENT]
            elif table != NO_TABLE and position >= 0:
                _begin_row(table, packet, memory)
        if position < 0:
            return -position
    trouble[1] = end - position
    return GOOD if position == end else LEFT_OVER


@part
def _take_back(memory: Memory) -> None:
    """Forget the rows of the record at hand."""
    for slot in range(len(memory.tables)):
        table, first = memory.tables[slot], memory.bases[slot, BITS]
        for at in range(first + memory.before[table], first + memory.rows[table]):
            _clear_bit(memory.bits, at)
    for table in range(len(memory.rows)):
        memory.rows[table] = memory.before[table]


@compiled(types.int64(BYTES_TYPE, INDEX_TYPE, INDEX_TYPE, INDEX_TYPE, PROGRAM_TYPE, MEMORY_TYPE, types.int64[:, ::1]))
def decode_records(
    buffer: Bytes, starts: Index, ends: Index, packets: Index, program: Program, memory: Memory, troubles: Index
) -> int:
    """Decode the records ``buffer[starts[i]:ends[i]]`` of the packets ``packets[i]`` into `memory`.

    `troubles`, shape (n, 3), gets for each record its fault, the instruction at fault, and a number that tells more.
    Stops where a table is full, and returns how many records were dealt with.
    """
    for index in range(len(starts)):
        for table in range(len(memory.rows)):
            memory.before[table] = memory.rows[table]
        _begin_row(0, packets[index], memory)
        trouble = troubles[index]
        trouble[0] = _decode_record(buffer, starts[index], ends[index], packets[index], program, memory, trouble[1:])
        if trouble[0] != GOOD:
            _take_back(memory)
        if trouble[0] == FULL:
            return index
    return len(starts)
