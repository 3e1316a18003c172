package burn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/imagetest"
	"spindle/internal/testdisc"
	"spindle/internal/testdisc/testimage"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// data is an image of one track of data whose blocks all differ.
func data(t testing.TB, medium disc.Medium, sectors int) disc.Image {
	t.Helper()
	form := disc.FormBlock
	if medium == disc.CD {
		form = disc.FormMode1
	}
	l := &disc.Layout{Medium: medium, Sessions: []disc.Session{{Number: 1, LeadOut: disc.LBA(sectors), Tracks: []disc.Track{
		{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: disc.LBA(sectors)}}}}}
	img, err := disc.NewExtentImage(l, []disc.Extent{{Count: sectors, Source: testdisc.Pattern{}, Form: form}})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// blank is a blank disc in memory.
func blank(t testing.TB, media string, capacity int) *sim.Recordable {
	t.Helper()
	r, err := sim.NewRecordable(media, capacity, sim.NewMemory(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// recorder puts a disc into a simulated drive.
func recorder(r *sim.Recordable, faults ...sim.Fault) *mmc.Drive {
	return mmc.New(sim.New(sim.Config{Disc: r, Faults: faults}))
}

// burnOn surveys, plans and burns.
func burnOn(t testing.TB, d *mmc.Drive, src *Source, o Options) (*Plan, Result, error) {
	t.Helper()
	ctx := context.Background()
	m, err := Survey(ctx, d)
	if err != nil {
		return nil, Result{}, err
	}
	plan, err := MakePlan(context.Background(), m, src, o)
	if err != nil {
		return nil, Result{}, err
	}
	return plan, Run(ctx, src, &Job{Drive: d, Medium: m, Plan: plan, Verify: true})[0], nil
}

// equalDisc compares the sectors of an image with those of a burned disc: all of
// CD sectors, save what a drive makes itself.
func equalDisc(t testing.TB, r *sim.Recordable, img disc.Image, shift disc.LBA) {
	t.Helper()
	if err := differs(r, img, shift); err != nil {
		t.Fatal(err)
	}
}

func differs(r *sim.Recordable, img disc.Image, shift disc.LBA) error {
	cd := r.Media() == "cd-r" || r.Media() == "cd-rw"
	for _, tr := range img.Layout().Tracks() {
		src := ImageSource("", img)
		form := FormBlock
		if cd {
			form, _, _ = trackForm(tr.Mode)
		}
		want := make([]byte, form.Size())
		sector := make([]byte, 2352)
		got := ImageSource("", burned{r, cd})
		have := make([]byte, form.Size())
		first := tr.Begin()
		if tr.Mode.IsData() {
			first = tr.Start
		}
		for a := first; a < tr.End; a++ {
			if err := src.read(context.Background(), want, a, form); err != nil {
				return err
			}
			if err := got.read(context.Background(), have, a+shift, form); err != nil {
				return fmt.Errorf("sector %d of the disc: %w", a+shift, err)
			}
			if !bytes.Equal(want, have) {
				return fmt.Errorf("sector %d of the disc differs", a+shift)
			}
			if cd && tr.Mode.IsData() {
				if err := r.ReadSectors(context.Background(), sector, a+shift); err != nil {
					return err
				}
				s := (*[cdsector.Size]byte)(sector)
				if own, ok := cdsector.Address(s); !ok || own.LBA() != a+shift {
					return fmt.Errorf("the header of sector %d says %v", a+shift, own)
				}
				if k := cdsector.Classify(s); !cdsector.EDCOK(s, k) || !cdsector.ParityOK(s, k) {
					return fmt.Errorf("the codes of sector %d are wrong", a+shift)
				}
			}
		}
	}
	return nil
}

// burned is a disc as an image, also of one whose sessions are open.
type burned struct {
	*sim.Recordable
	cd bool
}

func (b burned) Layout() *disc.Layout {
	if b.cd {
		return &disc.Layout{Medium: disc.CD}
	}
	return &disc.Layout{Medium: disc.DVD}
}

// media lists the recordable media, with a size of image that suits them.
func media() []string {
	return slices.DeleteFunc(sim.MediaNames(), func(m string) bool { return !sim.CanWrite(m) })
}

func sourceFor(t testing.TB, m string, sectors int) *Source {
	medium, _ := sim.MediumOf(m)
	return ImageSource("test.iso", data(t, medium, sectors))
}

func TestEveryMedium(t *testing.T) {
	for _, m := range media() {
		for name, o := range map[string]Options{"default": {}, "multi": {Multi: true}, "slow": {Speed: 4}, "simulated": {Simulate: true}} {
			t.Run(m+"/"+name, func(t *testing.T) {
				r := blank(t, m, 50000)
				src := sourceFor(t, m, 1234)
				d := recorder(r)
				plan, res, err := burnOn(t, d, src, o)
				kind := r.State().Media
				overwritten := strings.Contains(kind, "+rw") || strings.Contains(kind, "-ro") || strings.Contains(kind, "ram") || kind == "bd-re"
				simulates := strings.HasPrefix(kind, "cd-") || strings.HasPrefix(kind, "dvd-r") && !overwritten
				switch {
				case o.Simulate && !simulates:
					if !errors.Is(err, ErrNoSimulation) {
						t.Errorf("%v, want %v", err, ErrNoSimulation)
					}
					return
				case o.Multi && overwritten:
					if !errors.Is(err, ErrOptions) {
						t.Errorf("%v, want %v", err, ErrOptions)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if res.Err != nil {
					t.Fatalf("%v\n%s", res.Err, plan)
				}
				if o.Simulate {
					if r.State().Sessions != nil {
						t.Error("the simulation has left something on the disc")
					}
					return
				}
				if !res.Verification.OK() || res.Verification.Sectors != 1234 {
					t.Errorf("%+v", res.Verification)
				}
				equalDisc(t, r, src.image, 0)
				if st := r.State(); plan.Final && len(st.Sessions) > 0 && !st.Final {
					t.Error("the disc is not final")
				}
			})
		}
	}
}

// manyTracks is an audio CD of 99 tracks of four seconds.
func manyTracks(t testing.TB) disc.Image {
	t.Helper()
	s := disc.Session{Number: 1, LeadOut: 99 * 300}
	for i := range 99 {
		s.Tracks = append(s.Tracks, disc.Track{Number: i + 1, Start: disc.LBA(i * 300), End: disc.LBA(i*300 + 300)})
	}
	img, err := disc.NewExtentImage(&disc.Layout{Sessions: []disc.Session{s}}, []disc.Extent{{Count: 99 * 300, Source: testdisc.Pattern{}}})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestEveryKindOfCD(t *testing.T) {
	for _, name := range []string{"audio", "cdtext", "data", "mixed", "twosession", "cdextra", "xa", "tracks99", "hidden"} {
		var img disc.Image
		if name == "tracks99" {
			img = manyTracks(t)
		} else {
			img = testimage.Open(t, name)
		}
		for _, mode := range []Mode{Auto, SessionAtOnce, Raw96} {
			for _, m := range []string{"cd-r", "cd-rw"} {
				t.Run(name+"/"+string(mode)+"/"+m, func(t *testing.T) {
					r := blank(t, m, 0)
					d := recorder(r)
					plan, res, err := burnOn(t, d, ImageSource("", img), Options{Mode: mode})
					if mode == Raw96 && len(img.Layout().Sessions) > 1 {
						if !errors.Is(err, ErrOptions) {
							t.Errorf("%v, want %v", err, ErrOptions)
						}
						return
					}
					if err != nil {
						t.Fatal(err)
					}
					if res.Err != nil {
						t.Fatalf("%v\n%s", res.Err, plan)
					}
					if !res.Verification.OK() {
						t.Errorf("%+v", res.Verification)
					}
					equalDisc(t, r, img, 0)
					sameLayout(t, r.Layout(), img.Layout())
				})
			}
		}
	}
}

// In raw mode a disc begins with any track, and the comparison afterwards looks at the numbers
// of the tracks and at where they are.
func TestFirstTrackRaw(t *testing.T) {
	for _, first := range []int{2, 5, 90} {
		img := testimage.Open(t, "audio")
		for i, u := range img.Layout().Tracks() {
			u.Number = first + i
		}
		r := blank(t, "cd-r", 0)
		d := recorder(r)
		src := ImageSource("", img)
		plan, res, err := burnOn(t, d, src, Options{Mode: Raw96})
		if err != nil || res.Err != nil || !res.Verification.OK() {
			t.Fatal(err, res.Err, res.Verification)
		}
		sameLayout(t, r.Layout(), img.Layout())
		if _, err := sim.OpenRecordable(r.State(), nil, nil); err != nil {
			t.Error(err)
		}
		img.Layout().Tracks()[0].Number = 1
		if v, err := Verify(t.Context(), d, src, plan, nil); err != nil || v.OK() || !slices.Equal(v.Misplaced, []int{1}) {
			t.Errorf("another number: %+v, %v", v, err)
		}
	}
}

// The volume in a stream says how much comes at least: less is not begun with.
func TestStreamSize(t *testing.T) {
	for _, test := range []struct {
		media          string
		blocks, volume int
		want           error
	}{
		{"dvd+r", 1000, 1001, ErrOptions}, {"dvd+r", 1001, 1001, nil}, {"dvd+r", 0, 1001, nil}, {"cd-r", 1000, 1001, ErrOptions},
		{"dvd+r", 0, 60000, ErrTooLarge}, {"bd-re", 0, 60000, ErrTooLarge},
	} {
		src := StreamSource("", strings.NewReader(""), test.blocks)
		src.Expect(int64(test.volume))
		m, err := Survey(t.Context(), recorder(blank(t, test.media, 50000)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := MakePlan(t.Context(), m, src, Options{}); !errors.Is(err, test.want) {
			t.Errorf("%+v: %v", test, err)
		}
	}
}

// sameLayout compares what a disc states of its tracks.
func sameLayout(t *testing.T, got, want *disc.Layout) {
	t.Helper()
	describe := func(l *disc.Layout) string {
		s := fmt.Sprintf("MCN %q, %d packs\n", l.MCN, len(l.CDText))
		for i := range l.Sessions {
			s += fmt.Sprintf("session %d %s, lead-out %d\n", l.Sessions[i].Number, l.Sessions[i].Format, l.Sessions[i].LeadOut)
			for j := range l.Sessions[i].Tracks {
				u := &l.Sessions[i].Tracks[j]
				s += fmt.Sprintf("  %d %s %x %d %d %v %d %q\n", u.Number, u.Mode, uint8(u.Control), u.Begin(), u.Start, u.Indexes, u.End, u.ISRC)
			}
		}
		return s
	}
	if a, b := describe(got), describe(want); a != b {
		t.Errorf("the disc is\n%s, the image\n%s", a, b)
	}
}

func TestAppend(t *testing.T) {
	for _, m := range []string{"cd-r", "cd-rw", "dvd-r", "dvd-rw", "dvd+r", "bd-r"} {
		t.Run(m, func(t *testing.T) {
			r := blank(t, m, 100000)
			d := recorder(r)
			src := sourceFor(t, m, 700)
			for session := range 3 {
				plan, res, err := burnOn(t, d, src, Options{Multi: session < 2})
				if err != nil {
					t.Fatal(err)
				}
				if res.Err != nil || !res.Verification.OK() {
					t.Fatalf("session %d: %v %+v", session, res.Err, res.Verification)
				}
				equalDisc(t, r, src.image, plan.Start)
				d = recorder(r)
			}
			if _, _, err := burnOn(t, d, src, Options{}); err == nil {
				t.Error("a final disc was burned again")
			}
			if st := r.State(); len(st.Sessions) != 3 || !st.Final {
				t.Errorf("%d sessions, final %t", len(st.Sessions), st.Final)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	complete := func(m string) *sim.Recordable {
		r := blank(t, m, 50000)
		d := recorder(r)
		if _, res, err := burnOn(t, d, sourceFor(t, m, 600), Options{}); err != nil || res.Err != nil {
			t.Fatal(err, res.Err)
		}
		return r
	}
	for name, test := range map[string]struct {
		disc *sim.Recordable
		src  *Source
		o    Options
		want error
	}{
		"too large, CD":         {blank(t, "cd-r", 1000), sourceFor(t, "cd-r", 1001), Options{}, ErrTooLarge},
		"too large, BD":         {blank(t, "bd-r", 1000), sourceFor(t, "bd-r", 1001), Options{}, ErrTooLarge},
		"too large with spares": {blank(t, "bd-r", 12219392), sourceFor(t, "bd-r", 12000000), Options{Spare: SpareDefault}, ErrTooLarge},
		"complete":              {complete("cd-r"), sourceFor(t, "cd-r", 500), Options{}, ErrNotWritable},
		"complete, erasable":    {complete("cd-rw"), sourceFor(t, "cd-rw", 500), Options{}, ErrNotBlank},
		"audio on a DVD":        {blank(t, "dvd-r", 0), ImageSource("", testimage.Open(t, "audio")), Options{}, ErrWrongMedium},
		"sessions on a DVD+RW":  {blank(t, "dvd+rw", 0), sourceFor(t, "dvd+rw", 500), Options{Multi: true}, ErrOptions},
		"blanking a CD-R":       {blank(t, "cd-r", 0), sourceFor(t, "cd-r", 500), Options{Blank: true}, ErrOptions},
		"simulation on a BD":    {blank(t, "bd-r", 0), sourceFor(t, "bd-r", 500), Options{Simulate: true}, ErrNoSimulation},
		"tracks too short":      {blank(t, "cd-r", 0), ImageSource("", testimage.Open(t, "tracks99")), Options{}, ErrImage},
		"audio in one track":    {blank(t, "cd-r", 0), ImageSource("", testimage.Open(t, "audio")), Options{Mode: TrackAtOnce}, ErrOptions},
	} {
		t.Run(name, func(t *testing.T) {
			before := test.disc.State()
			d := recorder(test.disc)
			_, res, err := burnOn(t, d, test.src, test.o)
			if err == nil {
				err = res.Err
			}
			if !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
			if after := test.disc.State(); fmt.Sprint(after) != fmt.Sprint(before) {
				t.Error("the disc was changed")
			}
		})
	}
}

func TestStream(t *testing.T) {
	const blocks = 3000
	content := make([]byte, blocks*2048)
	testdisc.Pattern{}.ReadAt(content, 0)
	for _, m := range []string{"cd-r", "dvd-r", "dvd+rw", "bd-r"} {
		t.Run(m, func(t *testing.T) {
			r := blank(t, m, 50000)
			d := recorder(r)
			_, res, err := burnOn(t, d, StreamSource("-", bytes.NewReader(content), blocks), Options{})
			if err != nil || res.Err != nil || !res.Verification.OK() {
				t.Fatal(err, res.Err, res.Verification)
			}
			medium, _ := sim.MediumOf(m)
			equalDisc(t, r, data(t, medium, blocks), 0)
		})
	}
}

// A pipe that ends before its size, or that has none, is burned and closed; where the
// disc must know the length, it is filled with zeros, or refused before it is touched.
func TestShortStream(t *testing.T) {
	const most = 3000
	content := make([]byte, most*2048)
	testdisc.Pattern{}.ReadAt(content, 0)
	for _, m := range media() {
		for _, length := range []int{1, 64 << 10, 1<<20 + 700, most * 2048} {
			for _, size := range []int{0, most} {
				for _, mode := range []Mode{Auto, SessionAtOnce, DiscAtOnce} {
					cd := strings.HasPrefix(m, "cd-")
					if mode == SessionAtOnce && !cd || mode == DiscAtOnce && !strings.HasPrefix(m, "dvd-r") {
						continue
					}
					where := fmt.Sprint(m, " ", mode, ", ", length, " bytes of ", size)
					r := blank(t, m, 50000)
					plan, res, err := burnOn(t, recorder(r), StreamSource("-", bytes.NewReader(content[:length]), size), Options{Mode: mode})
					if mode != Auto && size == 0 && errors.Is(err, ErrOptions) {
						continue
					}
					if err != nil || res.Err != nil || !res.Verification.OK() {
						t.Fatal(where, err, res.Err, res.Verification)
					}
					blocks := (length + 2047) / 2048
					if res.Verification.Sectors != blocks {
						t.Errorf("%s: %d sectors compared", where, res.Verification.Sectors)
					}
					st := r.State()
					if plan.Final && plan.Mode != Overwrite && !st.Final {
						t.Errorf("%s: not closed", where)
					}
					fixed := slices.ContainsFunc(plan.Notes, func(n Note) bool { return n.Code == NoteFixed })
					if fixed != (plan.Mode == DiscAtOnce || plan.Mode == SessionAtOnce) {
						t.Errorf("%s: notes %v", where, plan.Notes)
					}
					if len(st.Sessions) > 0 && !fixed && int(st.Sessions[0].LeadOut) > max(blocks+32, 302) {
						t.Errorf("%s: the lead-out is at %d", where, st.Sessions[0].LeadOut)
					}
				}
			}
		}
	}
	for _, b := range [][]byte{nil, content} {
		_, res, err := burnOn(t, recorder(blank(t, "dvd+r", 50000)), StreamSource("-", bytes.NewReader(b), most/2), Options{})
		if err != nil || !errors.Is(res.Err, ErrSource) {
			t.Error(err, res.Err)
		}
	}
}

func TestSeveralDrives(t *testing.T) {
	src := sourceFor(t, "dvd+r", 5000)
	var jobs []*Job
	var rs []*sim.Recordable
	for i := range 3 {
		r := blank(t, "dvd+r", 50000)
		var faults []sim.Fault
		if i == 1 {
			faults = []sim.Fault{{Kind: sim.FaultWrite, First: 2000, Last: 2000}}
		}
		d := recorder(r, faults...)
		m, err := Survey(context.Background(), d)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := MakePlan(context.Background(), m, src, Options{})
		if err != nil {
			t.Fatal(err)
		}
		jobs, rs = append(jobs, &Job{Drive: d, Medium: m, Plan: plan, Verify: true}), append(rs, r)
	}
	for i, res := range Run(context.Background(), src, jobs...) {
		if (res.Err != nil) != (i == 1) {
			t.Errorf("drive %d: %v", i, res.Err)
		}
		if i != 1 {
			equalDisc(t, rs[i], src.image, 0)
		}
	}
}

// Discs that are not alike are refused in all the drives, and a drive that fails
// ends the reading of the image.
func TestNotAlike(t *testing.T) {
	ctx := context.Background()
	src := sourceFor(t, "dvd+r", 1000)
	var jobs []*Job
	for _, media := range []string{"dvd+r", "bd-r"} {
		d := recorder(blank(t, media, 50000))
		m, err := Survey(ctx, d)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := MakePlan(context.Background(), m, src, Options{})
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, &Job{Drive: d, Medium: m, Plan: plan})
	}
	for i, res := range Run(ctx, src, jobs...) {
		if !errors.Is(res.Err, ErrOptions) || res.State != Untouched {
			t.Errorf("drive %d: %v, %s", i, res.Err, res.State)
		}
	}
}

// counted counts the sectors that are read of an image.
func counted(img disc.Image, read *int) disc.Image {
	return &imagetest.Tapped{Image: img, Before: func(_ disc.LBA, n int) { *read += n }}
}

func TestFailureEndsReading(t *testing.T) {
	read := 0
	img := data(t, disc.DVD, 1000000)
	d := recorder(blank(t, "dvd+r", 2000000), sim.Fault{Kind: sim.FaultSense, Opcode: 0x2A, Nth: 2, Sense: scsi.Sense{Key: scsi.MediumError, ASC: 0x73, ASCQ: 3}})
	_, res, err := burnOn(t, d, ImageSource("", counted(img, &read)), Options{})
	if err != nil || res.Err == nil {
		t.Fatal(err, res.Err)
	}
	if read > 100000 {
		t.Errorf("%d sectors were read of an image after its burn had failed", read)
	}
}

// The audio of a drive that reads late is found.
func TestVerifyWithOffset(t *testing.T) {
	img := testimage.Open(t, "audio")
	r := blank(t, "cd-r", 0)
	for _, offset := range []int{0, 6, -30, 667, -1164} {
		if offset == 0 {
			d := recorder(r)
			if _, res, err := burnOn(t, d, ImageSource("", img), Options{}); err != nil || res.Err != nil {
				t.Fatal(err, res.Err)
			}
		}
		d := mmc.New(sim.New(sim.Config{Disc: r, Offset: offset}))
		m, err := Survey(context.Background(), d)
		if err != nil {
			t.Fatal(err)
		}
		m.Status, m.Capacity, m.Writes, m.AtOnce = mmc.DiscBlank, 359849, true, true
		plan, err := MakePlan(context.Background(), m, ImageSource("", img), Options{})
		if err != nil {
			t.Fatal(err)
		}
		v, err := Verify(context.Background(), d, ImageSource("", img), plan, nil)
		if err != nil || !v.OK() || v.Offset != offset {
			t.Errorf("offset %d: %v %+v", offset, err, v)
		}
	}
}

func TestVerifyFindsDifferences(t *testing.T) {
	r := blank(t, "dvd+rw", 50000)
	src := sourceFor(t, "dvd+rw", 1000)
	d := recorder(r)
	plan, res, err := burnOn(t, d, src, Options{})
	if err != nil || res.Err != nil {
		t.Fatal(err, res.Err)
	}
	d = mmc.New(sim.New(sim.Config{Disc: r, Faults: []sim.Fault{{Kind: sim.FaultRead, First: 10, Last: 12}, {Kind: sim.FaultRead, First: 500, Last: 500, Times: 1}}}))
	v, err := Verify(context.Background(), d, src, plan, nil)
	if err != nil || fmt.Sprint(v.Unreadable) != "[sectors 10 to 12]" || len(v.Slow) == 0 {
		t.Errorf("%v %+v", err, v)
	}
	other := ImageSource("", changed(src.image, 77))
	v, err = Verify(context.Background(), mmc.New(sim.New(sim.Config{Disc: r})), other, plan, nil)
	if err != nil || fmt.Sprint(v.Different) != "[sector 77]" {
		t.Errorf("%v %+v", err, v)
	}
}

// changed is an image of which one sector has changed.
func changed(img disc.Image, at disc.LBA) disc.Image {
	return &imagetest.Tapped{Image: img, After: func(p []byte, first disc.LBA) {
		if i := int(at-first) * img.Layout().Medium.SectorSize(); i >= 0 && i < len(p) {
			p[i] ^= 1
		}
	}}
}

// A stream that ends before its volume does is a burn that failed.
func TestStreamCut(t *testing.T) {
	b := volume("iso", "CUT")
	const whole = 640
	for _, test := range []struct {
		name   string
		length int
		expect int64
		multi  bool
		short  bool
		size   int
	}{
		{"all of it", whole * 2048, whole, false, false, 0},
		{"all of its size", whole * 2048, whole, false, false, whole},
		{"padded", whole * 2048, whole - 150, false, false, 0},
		{"cut in a sector", 500*2048 + 1, whole, false, true, 0},
		{"cut between sectors", 500 * 2048, whole, false, true, 0},
		{"within the first chunk", 20 * 2048, whole, false, true, 0},
		{"a session that counts from the beginning", whole * 2048, whole + 12000, true, false, 0},
	} {
		for _, m := range []string{"dvd+r", "dvd+rw", "cd-r", "dvd-r"} {
			if test.multi && m != "cd-r" {
				continue
			}
			t.Run(test.name+"/"+m, func(t *testing.T) {
				r := blank(t, m, 50000)
				if test.multi {
					if _, res, err := burnOn(t, recorder(r), sourceFor(t, m, 600), Options{Multi: true}); err != nil || res.Err != nil {
						t.Fatal(err, res.Err)
					}
				}
				src := StreamSource("-", bytes.NewReader(b[:test.length]), test.size)
				src.Expect(test.expect)
				var o Options
				if m == "cd-r" && test.size > 0 {
					o.Mode = SessionAtOnce
				}
				_, res, err := burnOn(t, recorder(r), src, o)
				var short *ShortStreamError
				if err != nil || errors.As(res.Err, &short) != test.short || !test.short && res.Err != nil {
					t.Fatal(err, res.Err)
				}
				if test.short && (short.Got != int64(test.length) || res.State == Complete) {
					t.Errorf("%+v, %s", short, res.State)
				}
			})
		}
	}
}
