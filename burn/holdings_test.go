package burn

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// meddler is a drive whose commands a test answers itself, where answer says so.
type meddler struct {
	scsi.Conn
	answer func(c *scsi.Command) (n int, err error, answered bool)
}

func (m *meddler) Execute(ctx context.Context, c *scsi.Command) (int, error) {
	if n, err, ok := m.answer(c); ok {
		return n, err
	}
	return m.Conn.Execute(ctx, c)
}

// meddled is a drive with a disc, some of whose commands answer replies to.
func meddled(r *sim.Recordable, answer func(c *scsi.Command) (int, error, bool)) *mmc.Drive {
	return mmc.New(&meddler{sim.New(sim.Config{Disc: r}), answer})
}

// senseError is the error of a command that ends with sense data.
func senseError(key scsi.SenseKey, asc, ascq uint8) error {
	return &scsi.CheckCondition{Sense: scsi.Sense{Key: key, ASC: asc, ASCQ: ascq}}
}

// What cannot be read is not nothing.
func TestHeldUnreadable(t *testing.T) {
	for name, test := range map[string]struct {
		err        error
		unreadable bool
	}{
		"medium error":  {senseError(scsi.MediumError, 0x11, 0x05), true},
		"hardware":      {senseError(scsi.HardwareError, 0x44, 0), true},
		"timeout":       {fmt.Errorf("READ (10): %w", scsi.ErrTimeout), true},
		"transport":     {fmt.Errorf("READ (10): %w", scsi.ErrTransport), true},
		"never written": {senseError(scsi.BlankCheck, 0, 0), false},
	} {
		t.Run(name, func(t *testing.T) {
			r := blank(t, "dvd+rw", 50000)
			src := sourceFor(t, "dvd+rw", 1000)
			if _, res, err := burnOn(t, recorder(r), src, Options{}); err != nil || res.Err != nil {
				t.Fatal(err, res.Err)
			}
			d := meddled(r, func(c *scsi.Command) (int, error, bool) {
				return 0, test.err, scsi.Opcode(c.CDB[0]) == scsi.OpRead10
			})
			ctx := context.Background()
			m, err := Survey(ctx, d)
			if err != nil {
				t.Fatal(err)
			}
			h, err := Held(ctx, d, m)
			if err != nil {
				t.Fatal(err)
			}
			if (h != nil && h.Unreadable) != test.unreadable || h != nil != test.unreadable {
				t.Errorf("%+v", h)
			}
		})
	}
}

// blob is an image in memory.
func blob(t *testing.T, b []byte) *Source {
	t.Helper()
	n := len(b) / 2048
	l := &disc.Layout{Medium: disc.DVD, Sessions: []disc.Session{{Number: 1, LeadOut: disc.LBA(n), Tracks: []disc.Track{
		{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: disc.LBA(n)}}}}}
	img, err := disc.NewExtentImage(l, []disc.Extent{{Count: n, Source: bytes.NewReader(b), Form: disc.FormBlock}})
	if err != nil {
		t.Fatal(err)
	}
	return ImageSource("blob", img)
}

// volume makes an image with an ISO 9660 file system, UDF, both or none, of a label.
func volume(kinds, label string) []byte {
	const sectors = 640
	b := make([]byte, sectors*2048)
	at := func(n int) []byte { return b[n*2048 : (n+1)*2048] }
	n := 16
	if strings.Contains(kinds, "iso") {
		copy(at(n), "\x01CD001\x01")
		copy(at(n)[40:], label)
		binary.LittleEndian.PutUint32(at(n)[158:], 300)
		copy(at(n+1), "\xFFCD001\x01")
		n += 2
	}
	if strings.Contains(kinds, "udf") {
		for i, id := range []string{"BEA01", "NSR02", "TEA01"} {
			copy(at(n + i)[1:], id)
		}
		binary.LittleEndian.PutUint16(at(256), 2)
		binary.LittleEndian.PutUint32(at(256)[16:], 16*2048)
		binary.LittleEndian.PutUint32(at(256)[20:], 257)
		for i, tag := range []uint16{1, 6, 5, 8} {
			binary.LittleEndian.PutUint16(at(257+i), tag)
			copy(at(257 + i)[84:], label)
		}
	}
	for i := 300; i < sectors; i++ {
		copy(at(i), fmt.Sprint("content ", i))
	}
	return b
}

// A disc is taken for that of the failed burn only if what names the volume is equal.
func TestSameVolume(t *testing.T) {
	for _, test := range []struct {
		name, burned, kinds string
		label               string // of the image of the failed burn, on another disc
		same                bool
	}{
		{"the same ISO", "iso", "iso", "ONE", true},
		{"another ISO", "iso", "iso", "TWO", false},
		{"the same UDF", "udf", "udf", "ONE", true},
		{"another UDF", "udf", "udf", "TWO", false},
		{"the same bridge", "iso udf", "iso udf", "ONE", true},
		{"another bridge", "iso udf", "iso udf", "TWO", false},
		{"little of no file system", "", "", "ONE", false},
	} {
		for _, media := range []string{"dvd+rw", "bd-re"} {
			t.Run(test.name+"/"+media, func(t *testing.T) {
				r := blank(t, media, 50000)
				d := recorder(r)
				if _, res, err := burnOn(t, d, blob(t, volume(test.burned, "ONE")), Options{}); err != nil || res.Err != nil {
					t.Fatal(err, res.Err)
				}
				ctx := context.Background()
				m, err := Survey(ctx, d)
				if err != nil {
					t.Fatal(err)
				}
				src := blob(t, volume(test.kinds, test.label))
				plan, err := MakePlan(context.Background(), m, src, Options{})
				if err != nil {
					t.Fatal(err)
				}
				for _, at := range []disc.LBA{0, 400} {
					c, err := Compare(ctx, d, m, src, &Attempt{Plan: plan, MediumID: m.ID, Failed: true, At: Position{LBA: at}}, nil)
					if err != nil || c.SameVolume != test.same {
						t.Errorf("failed at sector %d: %+v, %v", at, c, err)
					}
				}
			})
		}
	}
}
