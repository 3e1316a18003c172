package tcmu

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"testing"

	"spindle/scsi"
	"spindle/scsi/sim"
)

// shared is the memory that the kernel shares, as a test lays it out: the mailbox,
// a ring of 4 KiB, then commands and data.
type shared struct {
	mem  []byte
	head int
	data int // where the next data go
}

const testRing, testRingSize, testSize = 128, 4096, 64 << 10

func newShared() *shared {
	s := &shared{mem: make([]byte, testSize), data: testRing + testRingSize}
	binary.NativeEndian.PutUint16(s.mem, mailboxVersion)
	binary.NativeEndian.PutUint16(s.mem[offFlags:], flagReadLength)
	binary.NativeEndian.PutUint32(s.mem[offRing:], testRing)
	binary.NativeEndian.PutUint32(s.mem[offRingSize:], testRingSize)
	return s
}

// add puts a command into the ring, its data in pieces, and returns where the entry
// and the data are.
func (s *shared) add(cdb []byte, pieces ...int) (entry int, at []int) {
	size := max(entryLeast, (entryIovs+len(pieces)*iovSize+7)/8*8)
	entry = testRing + s.head
	e := memory(s.mem[entry:])
	e.put32(0, size|opCommand)
	e.put32(8, len(pieces))
	copy(s.mem[s.data:], cdb)
	binary.NativeEndian.PutUint64(e[entryCDB:], uint64(s.data))
	s.data += 16
	for i, n := range pieces {
		binary.NativeEndian.PutUint64(e[entryIovs+i*iovSize:], uint64(s.data))
		binary.NativeEndian.PutUint64(e[entryIovs+i*iovSize+8:], uint64(n))
		at = append(at, s.data)
		s.data += n
	}
	s.head += size
	return entry, at
}

func TestRing(t *testing.T) {
	s := newShared()
	drive := sim.New(sim.Config{TrayOpen: true})
	r, err := newRing(s.mem, drive)
	if err != nil {
		t.Fatal(err)
	}
	inquiry, where := s.add([]byte{0x12, 0, 0, 0, 36, 0}, 20, 76)
	tur, _ := s.add(make([]byte, 6))
	pad := s.head
	memory(s.mem[testRing+pad:]).put32(0, 64|opPad)
	s.head += 64
	tail := 0
	n, err := r.run(context.Background(), s.head, 0, func(v int) { tail = v })
	if err != nil || n != 2 || tail != s.head {
		t.Fatalf("%d commands, tail %d of %d, %v", n, tail, s.head, err)
	}
	got := append(bytes.Clone(s.mem[where[0]:where[0]+20]), s.mem[where[1]:where[1]+16]...)
	if string(got[8:15]) != "SPINDLE" || string(got[16:25]) != "SIMULATED" {
		t.Errorf("INQUIRY: %q", got)
	}
	if e := memory(s.mem[inquiry:]); e[8] != statusGood || e[7] != uflagReadLength || e.u32(12) != 36 {
		t.Errorf("INQUIRY: status %d, flags %d, %d bytes", e[8], e[7], e.u32(12))
	}
	if e := memory(s.mem[tur:]); e[8] != statusCheck || e[16]&0x7F != 0x70 || e[18] != byte(scsi.UnitAttention) {
		t.Errorf("TEST UNIT READY: status %d, sense % x", e[8], e[16:34])
	}
}

// A ring that lies ends with an error, never with a crash.
func TestRingThatLies(t *testing.T) {
	for name, lie := range map[string]func(s *shared){
		"version":        func(s *shared) { s.mem[0] = 9 },
		"ring outside":   func(s *shared) { memory(s.mem).put32(offRing, testSize) },
		"ring too large": func(s *shared) { memory(s.mem).put32(offRingSize, 1<<30) },
		"ring in itself": func(s *shared) { memory(s.mem).put32(offRing, 8) },
		"entry too long": func(s *shared) { memory(s.mem[testRing:]).put32(0, 8192|opCommand) },
		"entry of zero":  func(s *shared) { memory(s.mem[testRing:]).put32(0, opCommand) },
		"entry short":    func(s *shared) { memory(s.mem[testRing:]).put32(0, 16|opCommand) },
		"many pieces":    func(s *shared) { memory(s.mem[testRing:]).put32(8, 5000) },
		"piece outside":  func(s *shared) { binary.NativeEndian.PutUint64(s.mem[testRing+entryIovs:], 1<<40) },
		"piece too long": func(s *shared) { binary.NativeEndian.PutUint64(s.mem[testRing+entryIovs+8:], 1<<63) },
		"CDB outside":    func(s *shared) { binary.NativeEndian.PutUint64(s.mem[testRing+entryCDB:], 1<<63) },
	} {
		s := newShared()
		s.add([]byte{0x12, 0, 0, 0, 36, 0}, 36)
		lie(s)
		r, err := newRing(s.mem, sim.New(sim.Config{}))
		if err == nil {
			_, err = r.run(context.Background(), s.head, 0, func(int) {})
		}
		if !errors.Is(err, ErrRing) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRing(f *testing.F) {
	s := newShared()
	s.add([]byte{0x12, 0, 0, 0, 36, 0}, 20, 16)
	s.add([]byte{0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0}, 2048)
	f.Add(s.mem[:1024], s.head, 0)
	f.Fuzz(func(t *testing.T, mem []byte, head, tail int) {
		r, err := newRing(mem, sim.New(sim.Config{TrayOpen: true}))
		if err != nil {
			return
		}
		steps := 0
		// A ring of entries can go round for ever; the kernel's head ends it.
		_, err = r.run(context.Background(), head, tail, func(int) {
			if steps++; steps > 10000 {
				t.Skip()
			}
		})
		if err != nil && !errors.Is(err, ErrRing) {
			t.Fatal(err)
		}
	})
}
