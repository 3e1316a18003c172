package rip

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/drive"

	"github.com/google/go-cmp/cmp"
)

// healer repairs all audio of a disc once no more than some sectors are suspected.
func (d *madeDisc) healer(t *testing.T, most int) (heal func(context.Context, *Reading) (*Repair, error), calls *int) {
	calls = new(int)
	return func(ctx context.Context, r *Reading) (*Repair, error) {
		*calls++
		at := map[disc.LBA]bool{}
		for _, s := range r.Suspects() {
			if s.First < 0 || s.End > samplesPerSector || s.First >= s.End {
				t.Errorf("%+v", s)
			}
			at[s.At] = true
		}
		if len(at) > most {
			return nil, nil
		}
		fix := &Repair{Right: []drive.Stretch{{First: madeData, End: madeData + 2*madeAudio}}}
		fix.Apply = func(first disc.LBA, b []byte) { copy(b, d.b[int(first)*cdsector.Size:]) }
		for lba := disc.LBA(madeData); lba < madeData+2*madeAudio; lba++ {
			var p [cdsector.Size]byte
			if err := r.ReadSectors(ctx, p[:], lba); err != nil {
				return nil, err
			}
			if !bytes.Equal(p[:], d.b[int(lba)*cdsector.Size:][:len(p)]) {
				fix.Changed = append(fix.Changed, lba)
			}
		}
		return fix, nil
	}, calls
}

// What something else makes right is right, whether it was not read, read with errors, or wrong without any sign of it;
// it is said, and not read again. Where it is too much at first, it is tried after each further reading.
func TestRepair(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(7, 50)))
	for _, test := range []struct {
		query     string
		most      int
		once      bool
		calls     int
		again     bool // audio is read a second time
		unread    int  // sectors of which all samples are repaired
		untouched bool
	}{
		{query: "fault=read:1300-1303", most: 4, calls: 1},
		{query: "fault=lost:1300-1303", most: 4, calls: 1, unread: 4},
		{query: "trait=c2-always-zero&fault=read:1300-1303", most: 4, calls: 1},
		{query: "trait=concealed-damage:1300-1303", most: 0, calls: 1},
		{query: "trait=concealed-damage:1300-1303", most: 0, once: true, calls: 1},
		{query: "fault=read:1300-1303", most: 4, once: true, calls: 1},
		{query: "trait=concealed-damage:700-703&fault=read:1300-1320:2", most: 4, calls: 3, again: true},
		{query: "fault=read:1300-1303", most: 3, calls: 2, again: true, untouched: true},
		{query: "trait=no-accurate-stream&fault=lost:1300-1303", most: 1000, calls: 1, unread: 4},
	} {
		opts := a.options(filepath.Join(t.TempDir(), "x"))
		opts.Once, opts.Retries = test.once, 1
		var calls *int
		opts.Repair, calls = a.healer(t, test.most)
		again := false
		opts.Observer = &observer{progress: func(p Progress) { again = again || p.Phase == Comparing && p.Sectors > 0 }}
		res, err := Rip(context.Background(), a.query(t, test.query), opts)
		if err != nil {
			t.Fatalf("%s: %v", test.query, err)
		}
		if *calls < test.calls || again != test.again {
			t.Errorf("%s: %d calls, read again %t", test.query, *calls, again)
		}
		if test.untouched {
			if len(res.Repaired)+len(res.Proven) > 0 {
				t.Errorf("%s: %+v", test.query, res)
			}
			continue
		}
		if len(res.Bad) > 0 || len(res.Repaired) == 0 || len(res.Proven) != 1 {
			t.Errorf("%s: %+v, %+v, %+v", test.query, res.Bad, res.Repaired, res.Proven)
		}
		whole := 0
		for _, x := range res.Repaired {
			if x.Samples == samplesPerSector {
				whole++
			}
			if hidden := strings.Contains(test.query, "concealed"); x.Samples == 0 || hidden && x.At < 1304 && x.Silent != x.Samples && !test.again || test.unread > 0 && x.Samples == samplesPerSector && x.Silent > 0 {
				t.Errorf("%s: %+v", test.query, x)
			}
		}
		if test.unread > 0 && whole < test.unread {
			t.Errorf("%s: %d sectors repaired whole", test.query, whole)
		}
		a.isOn(t, opts)
		if sum := sha256.Sum256(a.b); res.Whole.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: the hash is not that of the image", test.query)
		}
	}
}

// Later runs report what was repaired, which is neither compared with what the drive gives of it,
// nor lost to that.
func TestRepairIsKept(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(7, 51)))
	const damage = "trait=concealed-damage:750-1550"
	opts := a.options(filepath.Join(t.TempDir(), "x"))
	opts.Repair, _ = a.healer(t, 4)
	first, err := Rip(context.Background(), a.query(t, damage+"&fault=lost:100"), opts)
	if err != nil || len(first.Repaired) < 400 || len(first.Bad) != 1 {
		t.Fatalf("%v, %+v", err, first)
	}
	second, err := Rip(context.Background(), a.query(t, damage+"&fault=lost:100"), opts)
	if err != nil || !cmp.Equal(second.Repaired, first.Repaired) || !cmp.Equal(second.Bad, first.Bad) {
		t.Fatalf("%v, %d repaired, %+v", err, len(second.Repaired), second.Bad)
	}
	opts.Repair = nil
	third, err := Rip(context.Background(), a.query(t, damage), opts)
	if err != nil || !cmp.Equal(third.Repaired, first.Repaired) || len(third.Proven)+len(third.Bad) > 0 {
		t.Fatalf("%v, %+v", err, third)
	}
	a.isOn(t, opts)
}

// The samples that are suspected are those that C2 marks, or on which readings do not agree.
func TestSuspects(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(7, 52)))
	for query, once := range map[string]bool{"fault=noisy:1300-1301:3": true, "trait=c2-always-zero&fault=noisy:1300-1301:3": false} {
		opts := a.options(filepath.Join(t.TempDir(), "x"))
		opts.Once, opts.Retries = once, 1
		seen := 0
		opts.Repair = func(ctx context.Context, r *Reading) (*Repair, error) {
			all := r.Suspects()
			samples := 0
			for _, s := range all {
				samples += s.End - s.First
			}
			if samples == 0 || samples > 100 {
				return nil, nil
			}
			seen++
			var p [2 * cdsector.Size]byte
			if err := r.ReadSectors(ctx, p[:], 1300); err != nil {
				return nil, err
			}
			for i := range 2 * samplesPerSector {
				right := bytes.Equal(p[i*bytesPerSample:][:bytesPerSample], a.b[1300*cdsector.Size+i*bytesPerSample:][:bytesPerSample])
				if !right && !slices.ContainsFunc(all, func(s Suspect) bool {
					n := int(s.At-1300) * samplesPerSector
					return n+s.First <= i && i < n+s.End
				}) {
					t.Errorf("%s: sample %d is wrong, and not suspected", query, i)
				}
			}
			return nil, nil
		}
		if _, err := Rip(context.Background(), a.query(t, query), opts); err != nil || seen == 0 {
			t.Errorf("%s: %v, %d times", query, err, seen)
		}
	}
}

// A repair of what is no audio, or of more than is listed, changes nothing.
func TestRepairIsRefused(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(7, 53)))
	for _, changed := range [][]disc.LBA{{5}, make([]disc.LBA, mostRepaired+1)} {
		opts := a.options(filepath.Join(t.TempDir(), "x"))
		opts.Repair = func(context.Context, *Reading) (*Repair, error) {
			return &Repair{Changed: changed, Apply: func(_ disc.LBA, b []byte) { clear(b) }}, nil
		}
		res, err := Rip(context.Background(), a.drive(t), opts)
		if refused := len(changed) == 1; refused != (err != nil) || err == nil && len(res.Repaired) > 0 {
			t.Errorf("%v, %+v", err, res)
		}
		if err == nil {
			a.isOn(t, opts)
		}
	}
}
