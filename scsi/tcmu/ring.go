package tcmu

import (
	"context"
	"encoding/binary"
	"fmt"

	"spindle/scsi"
)

// Places in the shared memory (struct tcmu_mailbox, struct tcmu_cmd_entry).
const (
	mailboxVersion = 2
	offFlags       = 2
	offRing        = 4 // where the ring begins
	offRingSize    = 8
	offHead        = 12 // next entry the kernel will write
	offTail        = 64 // next entry to be executed; ours to move
	mailboxSize    = 68

	entryHeader = 8
	entryCDB    = 24
	entryIovs   = 48 // struct iovec, 16 bytes each
	entryLeast  = 112
	iovSize     = 16
	maxIovs     = 4096

	flagReadLength  = 2 // in the mailbox: answers may be shorter
	uflagUnknown    = 1
	uflagReadLength = 2

	opPad     = 0
	opCommand = 1
)

// memory is the shared memory. Numbers are in the byte order of the machine.
type memory []byte

func (m memory) u16(at int) int    { return int(binary.NativeEndian.Uint16(m[at:])) }
func (m memory) u32(at int) int    { return int(binary.NativeEndian.Uint32(m[at:])) }
func (m memory) u64(at int) uint64 { return binary.NativeEndian.Uint64(m[at:]) }
func (m memory) put32(at, v int)   { binary.NativeEndian.PutUint32(m[at:], uint32(v)) }

// ring is the queue of commands in the shared memory. Nothing that stands there
// is trusted.
type ring struct {
	mem        memory
	start      int // of the ring
	size       int
	readLength bool
	dev        scsi.Device
	buffer     []byte // for data that stand in several pieces
	cdb        [16]byte
}

// newRing looks at the mailbox.
func newRing(mem []byte, dev scsi.Device) (*ring, error) {
	m := memory(mem)
	if len(m) < mailboxSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrRing, len(m))
	}
	if v := m.u16(0); v != mailboxVersion {
		return nil, fmt.Errorf("%w: version %d, known is %d", ErrRing, v, mailboxVersion)
	}
	r := &ring{mem: m, start: m.u32(offRing), size: m.u32(offRingSize), dev: dev}
	r.readLength = m.u16(offFlags)&flagReadLength != 0
	if r.start < mailboxSize || r.size < entryLeast || r.size%8 != 0 || r.start > len(m)-r.size {
		return nil, fmt.Errorf("%w: commands at %d, %d bytes, in %d", ErrRing, r.start, r.size, len(m))
	}
	return r, nil
}

// run executes the commands from the tail of the ring to its head, and returns
// how many there were.
func (r *ring) run(ctx context.Context, head, tail int, setTail func(int)) (int, error) {
	done := 0
	for tail != head {
		if tail < 0 || head < 0 || tail >= r.size || head >= r.size || tail%8 != 0 {
			return done, fmt.Errorf("%w: from %d to %d of %d", ErrRing, tail, head, r.size)
		}
		at := r.start + tail
		room := r.size - tail
		if room < entryHeader {
			return done, fmt.Errorf("%w: an entry at %d of %d", ErrRing, tail, r.size)
		}
		lenOp := r.mem.u32(at)
		size := lenOp &^ 7
		if size < entryHeader || size > room {
			return done, fmt.Errorf("%w: an entry of %d bytes where %d are left", ErrRing, size, room)
		}
		switch lenOp & 7 {
		case opPad:
		case opCommand:
			if size < entryLeast {
				return done, fmt.Errorf("%w: a command of %d bytes", ErrRing, size)
			}
			if err := r.execute(ctx, r.mem[at:at+size:at+size]); err != nil {
				return done, err
			}
			done++
		default:
			r.mem[at+7] |= uflagUnknown
		}
		tail = (tail + size) % r.size
		setTail(tail)
	}
	return done, nil
}

// execute runs the command of one entry and leaves its result there.
func (r *ring) execute(ctx context.Context, entry memory) error {
	pieces, total, err := r.pieces(entry)
	if err != nil {
		return err
	}
	at := entry.u64(entryCDB)
	if at > uint64(len(r.mem)-len(r.cdb)) {
		return fmt.Errorf("%w: a command block at %d", ErrRing, at)
	}
	copy(r.cdb[:], r.mem[at:])
	op := scsi.Opcode(r.cdb[0])
	dir := scsi.None
	if total > 0 {
		// The ring does not say which way data go.
		if dir = op.Direction(); dir == scsi.None {
			dir = scsi.In
		}
	}
	c := &scsi.Command{CDB: r.cdb[:op.CDBLength()], Direction: dir, Data: r.gather(pieces, total, dir)}
	n, err := r.dev.Execute(ctx, c)
	n = max(0, min(n, total))
	clear(entry[8:entryLeast])
	flags := entry[7] &^ (uflagUnknown | uflagReadLength)
	if err != nil {
		s := failure(err)
		entry[8] = statusCheck
		copy(entry[16:], s.Fixed())
	}
	if c.Direction == scsi.In {
		r.scatter(pieces, c.Data[:n])
		if r.readLength && (n < total || err != nil) {
			flags |= uflagReadLength
			entry.put32(12, n)
		}
	}
	entry[7] = flags
	return nil
}

// piece is a part of the data of a command.
type piece struct{ at, n int }

// pieces reads where the data of a command stand.
func (r *ring) pieces(entry memory) ([]piece, int, error) {
	count := entry.u32(8)
	if count < 0 || count > maxIovs || entryIovs+count*iovSize > len(entry) {
		return nil, 0, fmt.Errorf("%w: data in %d pieces", ErrRing, count)
	}
	out := make([]piece, count)
	total := 0
	for i := range out {
		at, n := entry.u64(entryIovs+i*iovSize), entry.u64(entryIovs+i*iovSize+8)
		if at > uint64(len(r.mem)) || n > uint64(len(r.mem))-at {
			return nil, 0, fmt.Errorf("%w: %d bytes of data at %d", ErrRing, n, at)
		}
		out[i] = piece{int(at), int(n)}
		total += int(n)
	}
	if total > len(r.mem) {
		return nil, 0, fmt.Errorf("%w: %d bytes of data", ErrRing, total)
	}
	return out, total, nil
}

// gather gives the data of a command in one piece: where they are, if they are in
// one piece already.
func (r *ring) gather(pieces []piece, total int, dir scsi.Direction) []byte {
	if len(pieces) == 1 {
		return r.mem[pieces[0].at : pieces[0].at+total]
	}
	if cap(r.buffer) < total {
		r.buffer = make([]byte, total)
	}
	p := r.buffer[:total]
	if dir == scsi.Out {
		done := 0
		for _, q := range pieces {
			done += copy(p[done:], r.mem[q.at:q.at+q.n])
		}
	}
	return p
}

// scatter puts an answer where the data of a command stand.
func (r *ring) scatter(pieces []piece, p []byte) {
	if len(pieces) == 1 {
		return // it was made there
	}
	for _, q := range pieces {
		p = p[copy(r.mem[q.at:q.at+q.n], p):]
	}
}
