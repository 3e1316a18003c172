package sim

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/scsi"
)

// A probe is a drive on which the same commands are tried with a trait and without.
type probe struct {
	testing.TB
	d *Drive
	r *Recordable // the disc, if it can be written
}

// newProbe switches on a drive with traits, and with a fresh disc: a
// pressed CD with one damaged sector of audio, or a blank.
func newProbe(t testing.TB, media string, traits ...string) *probe {
	t.Helper()
	cfg := Config{}
	for _, s := range traits {
		trait, err := ParseTrait(s)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Traits = append(cfg.Traits, trait)
	}
	p := &probe{TB: t}
	if media == "" {
		cfg.Image = mixedDisc(t)
		cfg.Faults = []Fault{{Kind: FaultRead, First: 460, Last: 460}}
	} else {
		r, err := NewRecordable(media, 20000, NewMemory(), nil)
		if err != nil {
			t.Fatal(err)
		}
		p.r, cfg.Disc = r, r
	}
	p.d = New(cfg)
	return p
}

// load waits for the disc, whatever the drive says of it.
func (p *probe) load() *probe {
	p.wait(20 * time.Second)
	for range 3 { // two unit attentions, and a drive that is ready
		p.do(0x00)
	}
	return p
}

func (p *probe) wait(d time.Duration) {
	if err := p.d.Clock().Sleep(context.Background(), d); err != nil {
		p.Fatal(err)
	}
}

// send executes a command, and names its error.
func (p *probe) send(c *scsi.Command) (int, string) {
	if want := scsi.Opcode(c.CDB[0]).CDBLength(); len(c.CDB) < want {
		c.CDB = append(c.CDB, make([]byte, want-len(c.CDB))...)
	}
	n, err := p.d.Execute(context.Background(), c)
	for e, name := range map[error]string{scsi.ErrTimeout: "timeout", scsi.ErrBusy: "busy", scsi.ErrTransport: "transport"} {
		if errors.Is(err, e) {
			return n, name
		}
	}
	return n, triple(err)
}

func (p *probe) do(cdb ...byte) string {
	_, got := p.send(&scsi.Command{CDB: cdb})
	return got
}

// out sends data.
func (p *probe) out(data []byte, cdb ...byte) string {
	n, got := p.send(&scsi.Command{CDB: cdb, Direction: scsi.Out, Data: data})
	if got == "" && n != len(data) {
		return fmt.Sprintf("%d of %d", n, len(data))
	}
	return got
}

// in asks for data.
func (p *probe) in(size int, cdb ...byte) ([]byte, string) {
	b := bytes.Repeat([]byte{0xEE}, size)
	n, got := p.send(&scsi.Command{CDB: cdb, Direction: scsi.In, Data: b})
	return b[:n], got
}

// must fails the test when a command did.
func (p *probe) must(got string) {
	p.Helper()
	if got != "" {
		p.Fatal(got)
	}
}

// write sends 32 blocks of 2048 bytes.
func (p *probe) write(lba int) string {
	const n = 32
	return p.out(bytes.Repeat([]byte{byte(lba + 1)}, n*2048), cdb10(0x2A, lba, n)...)
}

func cdb10(op byte, lba, n int) []byte {
	c := make([]byte, 10)
	c[0] = op
	binary.BigEndian.PutUint32(c[2:], uint32(lba))
	binary.BigEndian.PutUint16(c[7:], uint16(n))
	return c
}

// nwa is the next writable address, as READ TRACK INFORMATION has it.
func (p *probe) nwa() int {
	b, got := p.in(36, 0x52, 1, 0, 0, 0, 0xFF, 0, 0, 36, 0)
	p.must(got)
	return int(int32(binary.BigEndian.Uint32(b[12:])))
}

// page sets mode page 05h: its bytes 2, 3 and 4, and a catalogue number.
func (p *probe) page(write, track, block byte, mcn string) {
	b := make([]byte, 8+pageWriteSize)
	b[8], b[9], b[10], b[11], b[12] = pageWrite, pageWriteSize-2, write, track, block
	if mcn != "" {
		b[24] = 0x80
		copy(b[25:], mcn)
	}
	p.must(p.out(b, 0x55, 0x10, 0, 0, 0, 0, 0, 0, byte(len(b)), 0))
}

// Catalogue number and recording code of what the tests burn.
const (
	testMCN  = "4012345678901"
	testISRC = "GBAYE6700001"
)

// session burns a session at once of four seconds of audio with everything that a
// cue sheet can hold, and tells what the disc has.
func (p *probe) session(mcnInPageOnly, text bool) string {
	mcn := ""
	if mcnInPageOnly {
		mcn = testMCN
	}
	p.page(0x42, 0, 0, mcn)
	var sheet []byte
	entry := func(e ...byte) { sheet = append(sheet, e...) }
	if !mcnInPageOnly {
		sheet = append(append(append(sheet, 2), testMCN[:7]...), append(append([]byte{2}, testMCN[7:]...), 0)...)
	}
	leadIn := byte(1)
	if text {
		leadIn = 0x41
	}
	entry(1, 0, 0, leadIn, 0, 0, 0, 0)
	sheet = append(append(append(sheet, 3, 1), testISRC[:6]...), append([]byte{3, 1}, testISRC[6:]...)...)
	entry(1, 1, 0, 0, 0, 0, 0, 0)
	entry(1, 1, 1, 0, 0, 0, 2, 0)
	entry(1, 1, 2, 0, 0, 0, 4, 0)
	entry(1, 0xAA, 1, 1, 0, 0, 6, 0)
	if got := p.out(sheet, 0x5D, 0, 0, 0, 0, 0, 0, byte(len(sheet)>>8), byte(len(sheet))); got != "" {
		return got
	}
	if text {
		var pack disc.Pack
		pack[0], pack[4] = 0x80, 'A'
		binary.BigEndian.PutUint16(pack[16:], cdsector.CRC16(pack[:16]))
		if got := p.out(bytes.Repeat(symbols(pack), 10), cdb10(0x2A, leadInStart, 10)...); got != "" {
			return got
		}
	}
	for a := -150; a < 300; a += 25 {
		if got := p.out(make([]byte, 25*cdsector.Size), cdb10(0x2A, a, 25)...); got != "" {
			return got
		}
	}
	p.must(p.do(0x35))
	return p.onDisc()
}

// symbols are the 96 bytes of R to W that hold a pack four times.
func symbols(p disc.Pack) []byte {
	var s []byte
	for i := 0; i < len(p); i += 3 {
		v := uint32(p[i])<<16 | uint32(p[i+1])<<8 | uint32(p[i+2])
		s = append(s, byte(v>>18&63), byte(v>>12&63), byte(v>>6&63), byte(v&63))
	}
	return bytes.Repeat(s, 4)
}

// onDisc says what was burned.
func (p *probe) onDisc() string {
	l := p.r.Layout()
	if l == nil {
		return "nothing"
	}
	t := l.Sessions[0].Tracks[0]
	return fmt.Sprintf("mcn=%s isrc=%s indexes=%d text=%d", l.MCN, t.ISRC, len(t.Indexes), len(l.CDText))
}

const allOnDisc = "mcn=" + testMCN + " isrc=" + testISRC + " indexes=1 text=1"

// readAudio reads sectors of audio one at a time with C2 and sub-channel forms,
// and returns what follows their main channel.
func (p *probe) readAudio(first, n int, c2, sub byte) (tails [][]byte, failed string) {
	for a := first; a < first+n; a++ {
		cdb := readCD(a, 1, 1, 0x10|c2<<1, sub)
		b, got := p.in(cdsector.Size+296+96, cdb...)
		if got != "" {
			return tails, got
		}
		tails = append(tails, slices.Clone(b[cdsector.Size:]))
	}
	return tails, ""
}

// c2 says which of twenty sectors have error pointers; 460 is damaged.
func (p *probe) c2(form byte) string {
	tails, failed := p.readAudio(450, 20, form, 0)
	if failed != "" {
		return failed
	}
	var bad []string
	for i, b := range tails {
		if !allZero(b) {
			bad = append(bad, fmt.Sprint(450+i))
		}
	}
	if len(bad) == len(tails) {
		return "all"
	}
	return strings.Join(bad, " ")
}

func allSame(b []byte) bool {
	return bytes.Equal(b[4:], b[:len(b)-4])
}

func allZero(b []byte) bool { return !slices.ContainsFunc(b, func(v byte) bool { return v != 0 }) }

// blockByte says where the block error byte of 296 stands.
func (p *probe) blockByte() string {
	tails, failed := p.readAudio(460, 1, form296, 0)
	if failed != "" {
		return failed
	}
	or := func(b []byte) (v byte) {
		for _, x := range b {
			v |= x
		}
		return v
	}
	switch b := tails[0]; {
	case b[0] == or(b[2:]) && b[1] == 0:
		return "first"
	case b[294] == or(b[:294]) && b[295] == 0:
		return "last"
	}
	return "neither"
}

// q is the address that the Q sub-channel of sector 470 states.
func (p *probe) q(form byte) string {
	tails, failed := p.readAudio(470, 1, 0, form)
	if failed != "" {
		return failed
	}
	b := tails[0]
	if form == 1 {
		var sub [cdsector.SubSize]byte
		cdsector.Deinterleave(&sub, (*[cdsector.SubSize]byte)(b))
		b = sub[cdsector.QSize:]
	}
	q, err := cdsector.DecodeQ((*[cdsector.QSize]byte)(b))
	if err != nil {
		return "no CRC"
	}
	return fmt.Sprint(q.Abs.LBA())
}

// traitCases try each trait: what a drive without it answers, and one with it.
func traitCases() []traitCase {
	c2 := func(form byte) func(*probe) string { return func(p *probe) string { return p.load().c2(form) } }
	q := func(form byte) func(*probe) string { return func(p *probe) string { return p.load().q(form) } }
	do := func(cdb ...byte) func(*probe) string { return func(p *probe) string { return p.load().do(cdb...) } }
	session := func(p *probe) string { return p.load().session(false, true) }
	return []traitCase{
		{"no-c2", "", c2(form294), "460", "5/24/00"},
		{"c2-294-fails-after:5", "", c2(form294), "460", "3/11/00"},
		{"c2-294-fails-after:5", "", c2(form296), "460", "460"},
		{"c2-294-fails-after:20", "", c2(form294), "460", "460"},
		{"c2-294-garbage", "", c2(form294), "460", "all"},
		{"c2-294-garbage", "", c2(form296), "460", "460"},
		{"c2-garbage", "", c2(form296), "460", "all"},
		{"c2-296-only-first", "", c2(form294), "460", "5/24/00"},
		{"c2-296-only-first", "", func(p *probe) string { return p.load().blockByte() }, "first", "first"},
		{"c2-296-only-last", "", c2(form294), "460", "5/24/00"},
		{"c2-296-only-last", "", func(p *probe) string { return p.load().blockByte() }, "first", "last"},
		{"c2-always-zero", "", c2(form294), "460", ""},
		{"c2-late", "", c2(form294), "460", "461"},
		{"c2-and-subchannel-exclusive", "", func(p *probe) string {
			_, got := p.load().in(4096, readCD(460, 1, 1, 0x12, 1)...)
			return got
		}, "", "5/24/00"},

		{"no-subchannel", "", q(2), "470", "5/24/00"},
		{"subchannel-shifted:2", "", q(1), "470", "472"},
		{"subchannel-shifted:-1", "", q(2), "470", "469"},
		{"subchannel-no-crc", "", q(1), "470", "no CRC"},
		{"subchannel-garbage", "", q(2), "470", "no CRC"},
		{"subchannel-r-w-zero", "", q(1), "470", "470"},
		{"subchannel-hangs", "", func(p *probe) string {
			p.load()
			return p.do(readCD(470, 1, 1, 0x10, 0)...) + " " + p.q(2) + " " + p.do(0)
		}, " 470 ", " timeout 6/29/00"},

		{"overreads:2", "", do(readCD(-2, 2, 1, 0x12, 0)...), "5/21/00", ""},
		{"overreads:2", "", do(readCD(-3, 2, 1, 0x12, 0)...), "5/21/00", "5/21/00"},
		{"overreads:2", "", do(readCD(900, 2, 1, 0x12, 0)...), "5/21/00", ""},
		{"no-full-toc", "", do(0x43, 2, 2, 0, 0, 0, 1, 0, 4), "", "5/24/00"},
		{"toc-before-minus-150", "", func(p *probe) string {
			b, got := p.load().in(804, 0x43, 0, 0, 0, 0, 0, 1, 3, 0x24)
			p.must(got)
			return fmt.Sprint(int32(binary.BigEndian.Uint32(b[8:])))
		}, "0", "-182"},
		{"expected-type-0-refused", "", do(readCD(470, 1, 0, 0xF8, 0)...), "", "5/24/00"},
		{"expected-type-0-refused", "", do(readCD(470, 1, 1, 0xF8, 0)...), "", ""},
		{"cache:1000000", "", rereadDamaged, "different", "the same"},
		{"cache:1000000", "", rereadAfterElsewhere, "different", "different"},
		{"cache-ignores-fua:1000000", "", rereadAfterElsewhere, "different", "different"},
		{"cache-ignores-fua:1000000", "", func(p *probe) string {
			return p.load().twice(460, func() { p.must(p.do(0xA8, 8, 0, 0, 1, 204)) })
		}, "different", "the same"},
		{"cache:1000000", "", func(p *probe) string {
			return p.load().twice(460, func() { p.must(p.do(0xA8, 8, 0, 0, 1, 204)) })
		}, "different", "different"},
		{"cache-segments:4", "", rereadAfterElsewhere, "different", "the same"}, // two runs: two segments
		{"cache-segments:2", "", rereadAfterElsewhere, "different", "different"},
		{"concealed-damage:470-470", "", c2(form294), "460", "460"},
		{"concealed-damage:470-470", "", func(p *probe) string {
			b, got := p.load().in(2352, readCD(470, 1, 1, 0x10, 0)...)
			p.must(got)
			return fmt.Sprint(allSame(b[400:1200]), p.twice(470, func() {}))
		}, "falsethe same", "truethe same"},
		{"audio-type-gives-data", "", func(p *probe) string {
			b, got := p.load().in(2352, readCD(10, 1, 1, 0x10, 0)...)
			return fmt.Sprint(got, len(b))
		}, "5/64/000", "2352"},
		{"audio-type-gives-data", "", c2(form294), "460", "460"},
		{"data-as-audio", "", func(p *probe) string {
			b, got := p.load().in(2352, readCD(10, 1, 1, 0x10, 0)...)
			if got != "" {
				return got
			}
			s := (*[cdsector.Size]byte)(b)
			cdsector.Scramble(s)
			return fmt.Sprint(cdsector.EDCOK(s, cdsector.Mode1))
		}, "5/64/00", "true"},
		{"protected-range:100-110", "", do(cdb10(0x28, 95, 5)...), "", ""},
		{"protected-range:100-110", "", do(cdb10(0x28, 95, 6)...), "", "5/6F/03"},
		{"no-accurate-stream:40", "", seekTwice, "the same", "different"},
		{"open-session-unreadable", "bd-r", func(p *probe) string {
			p.must(p.load().write(0))
			p.must(p.do(0x35))
			return p.do(cdb10(0x28, 0, 1)...)
		}, "", "5/21/00"},

		{"residual-on-write", "dvd+rw", formatAndWrite, "", "65432 of 65536"},
		{"short-read-stale:2", "", func(p *probe) string {
			p.load()
			var got []string
			for range 3 {
				b, failed := p.in(4*2048, cdb10(0x28, 10, 4)...)
				p.must(failed)
				got = append(got, fmt.Sprintf("%02X", b[len(b)-1]))
			}
			return strings.Join(got, " ")
		}, "00 00 00", "00 EE 00"},
		{"cut-mod-1024", "", func(p *probe) string {
			b, failed := p.load().in(4096, readCD(460, 1, 1, 0x12, 0)...)
			p.must(failed)
			return fmt.Sprint(len(b))
		}, "2646", "2560"},
		{"transfer-limit:8192", "", func(p *probe) string {
			p.load()
			_, small := p.in(8192, cdb10(0x28, 10, 4)...)
			_, large := p.in(8193, cdb10(0x28, 10, 4)...)
			return small + " " + large
		}, " ", " timeout"},
		{"buffer-capacity-transport-error", "dvd+r", do(0x5C, 0, 0, 0, 0, 0, 0, 0, 12), "", "transport"},
		{"get-configuration-takes:45", "", func(p *probe) string {
			p.load()
			_, got := p.send(&scsi.Command{CDB: []byte{0x46, 0, 0, 0, 0, 0, 0, 0, 8}, Timeout: 10 * time.Second})
			return got + " " + p.do(0x46, 0, 0, 0, 0, 0, 0, 0, 8) + " " + p.do(0)
		}, "  ", "timeout  6/29/00"},

		{"not-present-first", "", func(p *probe) string { return p.states(4, time.Second/2) },
			"6/29/00 6/28/00 2/04/01 2/04/01", "6/29/00 6/28/00 2/3A/00 2/04/01"},
		{"not-ready-04-00", "", func(p *probe) string {
			return p.load().states(2, time.Minute) + " " + p.do(cdb10(0x28, 10, 4)...)
		}, "  ", "2/04/00 2/04/00 "},
		{"progress-background", "dvd+rw", func(p *probe) string {
			p.must(p.load().format())
			p.must(p.do(0))
			p.requestSense() // of the unit attention
			return p.requestSense()
		}, "0/00/00", "0/04/04"},
		{"progress-stuck", "cd-rw", func(p *probe) string {
			p.load()
			p.page(0x41, 4, 8, "")
			p.must(p.write(0))
			p.must(p.do(0x35))
			p.must(p.do(0xA1, 0x11))
			p.requestSense() // of the unit attention
			p.wait(10 * time.Second)
			during := p.requestSense()
			p.wait(time.Hour)
			return p.do(0) + " " + during + " " + p.requestSense()
		}, " 0/00/00 0/00/00", " 0/04/07 0/04/07"},
		{"busy-after-load:6", "", func(p *probe) string { return p.states(8, time.Second) },
			"6/29/00 6/28/00 2/04/01     ", "busy busy busy busy busy busy 6/29/00 6/28/00"},

		{"no-get-configuration", "", do(0x46, 0, 0, 0, 0, 0, 0, 0, 8), "", "5/20/00"},
		{"no-performance", "dvd+r", func(p *probe) string {
			b, got := p.load().in(200, 0xAC, 0, 0, 0, 0, 0, 0, 0, 0, 12, 3)
			p.must(got)
			return fmt.Sprint(binary.BigEndian.Uint32(b))
		}, "84", "0"},
		{"mode-select-wants-zero-length", "cd-r", func(p *probe) string {
			p.load()
			return p.out([]byte{0, 18, 0, 0, 0, 0, 0, 0, 1, 10, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0}, 0x55, 0x10, 0, 0, 0, 0, 0, 0, 20) +
				" " + p.out([]byte{0, 0, 0, 0, 0, 0, 0, 0, 1, 10, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0}, 0x55, 0x10, 0, 0, 0, 0, 0, 0, 20)
		}, " ", "5/26/00 "},
		{"set-streaming-refused", "", func(p *probe) string {
			return p.load().out(make([]byte, 28), 0xB6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 28)
		}, "0 of 28", "5/21/00"},
		{"no-session-at-once-feature", "cd-r", func(p *probe) string { return p.load().feature(0x2E) }, "current", "absent"},
		{"no-session-at-once-feature", "cd-r", session, allOnDisc, allOnDisc},
		{"features-not-current-on-closed-rw", "cd-rw", func(p *probe) string {
			blank := p.load().feature(0x37)
			p.session(false, false)
			return blank + ", " + p.feature(0x37)
		}, "current, current", "current, absent"},

		{"dvd-drive", "dvd-r", func(p *probe) string { return p.load().feature(0x2F) + p.do(0) }, "current", "current"},
		{"dvd-drive", "bd-r", func(p *probe) string { return p.load().do(0) }, "", "2/30/00"},

		{"slow-lead-in:45", "cd-r", session, allOnDisc, allOnDisc},
		{"slow-lead-in:45", "cd-r", func(p *probe) string { return p.load().impatient() }, " ", "timeout 6/29/00"},
		{"short-write-hidden:2", "dvd+r", func(p *probe) string {
			p.must(p.load().write(0))
			p.must(p.write(32))
			return fmt.Sprint(p.nwa())
		}, "64", "48"},
		{"sequence-error-in-write:2", "dvd+r", func(p *probe) string {
			p.must(p.load().write(0))
			return p.write(32) + " " + p.do(0x35) + " " + p.write(p.nwa())
		}, "  ", "5/2C/00  "},
		{"aborted-command-in-write:2", "dvd+r", func(p *probe) string {
			p.must(p.load().write(0))
			return p.write(32) + " " + p.write(p.nwa())
		}, " ", "B/47/00 "},
		{"refuses-after-write-error", "dvd+r", func(p *probe) string {
			p.must(p.load().write(0))
			return p.write(64) + " " + p.write(32)
		}, "5/21/02 ", "5/21/02 5/30/05"},
		{"synchronize-never-ends", "dvd+r", func(p *probe) string {
			p.must(p.load().write(0))
			p.must(p.do(0x35, 2))
			p.wait(time.Hour)
			return p.do(0) + " " + p.do(cdb10(0x28, 0, 16)...)
		}, " ", "2/04/08 "},
		{"opc-refused", "cd-r", do(0x54, 1), "", "3/73/03"},
		{"cdtext-refused", "cd-r", session, allOnDisc, "5/26/00"},
		{"cdtext-refused", "cd-r", func(p *probe) string { return p.load().session(false, false) },
			strings.Replace(allOnDisc, "text=1", "text=0", 1), strings.Replace(allOnDisc, "text=1", "text=0", 1)},
		{"cdtext-at-zero-only", "cd-r", session, allOnDisc, allOnDisc},
		{"cdtext-at-lead-in-only", "cd-r", session, allOnDisc, "5/26/00"},
		{"cdtext-block-type-3-only", "cd-r", session, allOnDisc, "5/26/00"},
		{"isrc-control-refused", "cd-r", session, allOnDisc, allOnDisc},
		{"isrc-control-refused", "cd-r", func(p *probe) string {
			p.load().page(0x42, 0, 0, "")
			sheet := []byte{1, 0, 0, 1, 0, 0, 0, 0,
				0x23, 1, 'G', 'B', 'A', 'Y', 'E', '6', 0x23, 1, '7', '0', '0', '0', '0', '1',
				0x21, 1, 0, 0, 0, 0, 0, 0, 0x21, 1, 1, 0, 0, 0, 2, 0, 1, 0xAA, 1, 1, 0, 0, 6, 0}
			return p.out(sheet, 0x5D, 0, 0, 0, 0, 0, 0, 0, byte(len(sheet)))
		}, "", "5/26/00"},
		{"last-session-refused", "cd-r", func(p *probe) string {
			p.load()
			b := make([]byte, 8+pageWriteSize)
			b[8], b[9], b[10], b[11] = pageWrite, pageWriteSize-2, 0x42, 0x40
			return p.out(b, 0x55, 0x10, 0, 0, 0, 0, 0, 0, byte(len(b)), 0)
		}, "", "5/26/00"},
		{"load-refused", "", func(p *probe) string {
			p.load()
			return p.do(0x1B, 0, 0, 0, 2) + " " + p.do(0x1B, 0, 0, 0, 3) + " " + p.do(0) + " " + p.do(0)
		}, "  6/28/00 2/04/01", " 5/24/00 6/28/00 2/04/01"},
		{"cue-sheet-limit:64", "cd-r", session, allOnDisc, "5/24/00"},
		{"close-refused-after-test-write", "cd-r", func(p *probe) string {
			p.load().page(0x51, 4, 8, "")
			p.must(p.write(0))
			p.must(p.do(0x35))
			return p.do(0x5B, 0, 2)
		}, "", "5/2C/00"},
		{"close-000-sequence-error", "dvd+rw", func(p *probe) string {
			p.must(p.load().format())
			return p.do(0x5B, 0, 0) + " " + p.do(0x5B, 0, 2)
		}, " ", "5/2C/00 "},
		{"mcn-from-cue-sheet-only", "cd-r", func(p *probe) string { return p.load().session(true, true) },
			allOnDisc, strings.Replace(allOnDisc, testMCN, "", 1)},
		{"mcn-from-cue-sheet-only", "cd-r", session, allOnDisc, allOnDisc},
		{"drops-mcn", "cd-r", session, allOnDisc, strings.Replace(allOnDisc, testMCN, "", 1)},
		{"drops-isrc", "cd-r", session, allOnDisc, strings.Replace(allOnDisc, testISRC, "", 1)},
		{"drops-indexes", "cd-r", session, allOnDisc, strings.Replace(allOnDisc, "indexes=1", "indexes=0", 1)},
		{"drops-cdtext", "cd-r", session, allOnDisc, strings.Replace(allOnDisc, "text=1", "text=0", 1)},
		{"writes-nothing-with-cdtext", "cd-r", session, allOnDisc, "nothing"},
	}
}

type traitCase struct {
	trait, media string
	try          func(*probe) string
	plain, with  string
}

func TestTraits(t *testing.T) {
	tried := map[string]bool{}
	for i, c := range traitCases() {
		name, _, _ := strings.Cut(c.trait, ":")
		tried[name] = true
		t.Run(fmt.Sprintf("%s/%d", c.trait, i), func(t *testing.T) {
			if got := c.try(newProbe(t, c.media)); got != c.plain {
				t.Errorf("a plain drive: %q, want %q", got, c.plain)
			}
			if got := c.try(newProbe(t, c.media, c.trait)); got != c.with {
				t.Errorf("with the trait: %q, want %q", got, c.with)
			}
		})
	}
	for _, u := range Traits() {
		if !tried[u.Name] {
			t.Errorf("nothing tries %s", u.Name)
		}
	}
}

// states are the answers to TEST UNIT READY, some time apart.
func (p *probe) states(n int, apart time.Duration) string {
	var got []string
	for range n {
		got = append(got, p.do(0))
		p.wait(apart)
	}
	return strings.Join(got, " ")
}

// requestSense is the sense that REQUEST SENSE gives.
func (p *probe) requestSense() string {
	b, got := p.in(18, 0x03, 0, 0, 0, 18)
	p.must(got)
	return fmt.Sprintf("%X/%02X/%02X", b[2]&15, b[12], b[13])
}

// format begins the format of a DVD+RW, which continues in the background.
func (p *probe) format() string {
	got := p.out([]byte{0, 2, 0, 8, 0, 0, 0x4E, 0x20, formatPlusRW << 2, 0, 0, 0}, 0x04, 0x11)
	p.wait(quickFormatTime)
	return got
}

func formatAndWrite(p *probe) string {
	p.must(p.load().format())
	return p.write(0)
}

// feature says whether there is a feature, and whether it is current.
func (p *probe) feature(code uint16) string {
	b, got := p.in(1024, 0x46, 1, 0, 0, 0, 0, 0, 4, 0)
	p.must(got)
	for b = b[8:]; len(b) >= 4; b = b[4+int(b[3]):] {
		if binary.BigEndian.Uint16(b) == code {
			return "current"
		}
	}
	return "absent"
}

// impatient begins a track, and then asks with a limit of ten seconds.
func (p *probe) impatient() string {
	p.page(0x41, 4, 8, "")
	p.must(p.write(0))
	_, got := p.send(&scsi.Command{CDB: []byte{0x5C, 0, 0, 0, 0, 0, 0, 0, 12}, Direction: scsi.In, Data: make([]byte, 12), Timeout: 10 * time.Second})
	return got + " " + p.do(0)
}

func rereadDamaged(p *probe) string        { return p.load().twice(460, func() {}) }
func rereadAfterElsewhere(p *probe) string { return p.load().twice(460, func() { p.readElsewhere() }) }
func seekTwice(p *probe) string            { return p.load().twice(550, func() { p.readElsewhere() }) }

// readElsewhere reads as much as a cache of a megabyte holds.
func (p *probe) readElsewhere() {
	for a := 600; a < 880; a += 20 {
		_, got := p.in(20*2048, cdb10(0x28, a, 20)...)
		p.must(got)
	}
	for a := 10; a < 290; a += 20 {
		_, got := p.in(20*2048, cdb10(0x28, a, 20)...)
		p.must(got)
	}
}

// twice compares two readings of a sector of audio.
func (p *probe) twice(a int, between func()) string {
	first, got := p.in(cdsector.Size, readCD(a, 1, 1, 0x10, 0)...)
	p.must(got)
	between()
	second, got := p.in(cdsector.Size, readCD(a, 1, 1, 0x10, 0)...)
	p.must(got)
	if bytes.Equal(first, second) {
		return "the same"
	}
	return "different"
}
