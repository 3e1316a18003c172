// Package testdisc makes small disc images of every kind, for tests. They are
// deterministic: the same call gives the same bytes.
package testdisc

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"spindle/addr"
	"spindle/cue"
	"spindle/disc"
	"spindle/disc/cdsector"

	"github.com/kdomanski/iso9660"
)

// Make makes the disc with the given name in dir, one of [Names], or "music", "hfs", "hfsplus", "hfsmap", "hfsdisk", "otherdisk", as NAME.cue with NAME.bin (and
// NAME.cdt), or as NAME.iso, NAME.toast or NAME.img, and returns the path of the descriptor.
func Make(dir, name string) (string, error) {
	base := filepath.Join(dir, name)
	if name == "music" { // too large to be one of many, or to be kept
		return music().write(base)
	}
	if content, ok := macs()[name]; ok {
		path := base + ".toast"
		if strings.HasSuffix(name, "disk") {
			path = base + ".img"
		}
		return path, os.WriteFile(path, content, 0o666)
	}
	build, ok := kinds()[name]
	if !ok {
		return "", fmt.Errorf("testdisc: no disc %q; there are %s", name, strings.Join(Names(), ", "))
	}
	return build(base)
}

// Names lists the discs, in alphabetical order.
func Names() []string {
	var names []string
	for n := range kinds() {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// kinds are what writes each disc. It is made once a process, for tests want the same ones often.
var kinds = sync.OnceValue(func() map[string]func(base string) (string, error) {
	cd := func(build func() *builder) func(string) (string, error) {
		made := sync.OnceValue(build)
		return func(base string) (string, error) { return made().write(base) }
	}
	return map[string]func(string) (string, error){
		"audio":      cd(audio),
		"data":       cd(data),
		"mixed":      cd(mixed),
		"twosession": cd(twoSession),
		"cdextra":    cd(cdExtra),
		"hidden":     cd(hidden),
		"tracks99":   cd(tracks99),
		"xa":         cd(xa),
		"cdtext":     cd(cdText),
		"demo":       cd(demo),
		"iso":        writeISO,
	}
})

// builder collects a layout and the sectors of its tracks.
type builder struct {
	layout disc.Layout
	bin    bytes.Buffer
	at     disc.LBA
	noise  *rand.Rand
	tones  bool // audio is tones that compress well, not noise
}

func newBuilder() *builder {
	b := &builder{noise: rand.New(rand.NewPCG(1, 2))}
	b.session(disc.FormatCDROM)
	return b
}

func (b *builder) session(f disc.SessionFormat) {
	if n := len(b.layout.Sessions); n > 0 {
		b.at += disc.LBA(addr.SessionGap(n))
	}
	b.layout.Sessions = append(b.layout.Sessions, disc.Session{Number: len(b.layout.Sessions) + 1, Format: f})
}

// track appends a track of pregap and length sectors; more indexes stand at
// fractions of its length.
func (b *builder) track(mode disc.Mode, pregap, length int, indexes int) *disc.Track {
	s := &b.layout.Sessions[len(b.layout.Sessions)-1]
	t := disc.Track{
		Number: len(b.layout.Tracks()) + 1, Mode: mode, Pregap: pregap,
		Start: b.at + disc.LBA(pregap), End: b.at + disc.LBA(pregap+length),
	}
	if mode.IsData() {
		t.Control = disc.DataTrack
	}
	for i := range indexes {
		t.Indexes = append(t.Indexes, t.Start+disc.LBA(length*(i+1)/(indexes+1)))
	}
	for a := t.Begin(); a < t.End; a++ {
		b.sector(mode, t.Number, a)
	}
	b.at = t.End
	s.Tracks = append(s.Tracks, t)
	s.LeadOut = t.End
	return &s.Tracks[len(s.Tracks)-1]
}

func (b *builder) sector(mode disc.Mode, number int, a disc.LBA) {
	var s [cdsector.Size]byte
	t := a.MSF()
	switch mode {
	case disc.Audio:
		b.samples(&s, number, a)
	case disc.Mode1:
		b.fill(s[16:2064])
		cdsector.SetHeader(&s, t, 1)
		cdsector.Seal(&s, cdsector.Mode1)
	case disc.Mode2: // XA, every third sector form 2
		b.fill(s[24:])
		cdsector.SetHeader(&s, t, 2)
		kind, submode := cdsector.Form1, byte(0x08)
		if a%3 == 2 {
			kind, submode = cdsector.Form2, 0x24
		}
		copy(s[16:24], []byte{1, 0, submode, 0, 1, 0, submode, 0})
		cdsector.Seal(&s, kind)
	}
	b.bin.Write(s[:])
}

func (b *builder) fill(p []byte) {
	for i := range p {
		p[i] = byte(b.noise.Uint32())
	}
}

// samples makes a sector of audio: noise, or a tone of the track's own pitch.
func (b *builder) samples(s *[cdsector.Size]byte, number int, a disc.LBA) {
	if !b.tones {
		b.fill(s[:])
		return
	}
	const perSector = cdsector.Size / 4
	period := 120 >> number // samples; divides the sector's 588 evenly enough
	for i := range perSector {
		v := int16(8000 * math.Sin(2*math.Pi*float64((int(a)*perSector+i)%period)/float64(period)))
		for c := range 2 {
			s[4*i+2*c], s[4*i+2*c+1] = byte(v), byte(uint16(v)>>8)
		}
	}
}

// write writes the image and its descriptor.
func (b *builder) write(base string) (string, error) {
	if err := b.layout.Validate(); err != nil {
		return "", err
	}
	set := cue.NewSet(base+".cue", &b.layout, false)
	if err := os.WriteFile(set.Bins[0], b.bin.Bytes(), 0o666); err != nil {
		return "", err
	}
	for _, x := range set.Texts() {
		if err := os.WriteFile(x.Path, x.Data, 0o666); err != nil {
			return "", err
		}
	}
	return set.Path, nil
}

func audio() *builder {
	b := newBuilder()
	b.layout.MCN = "4012345678901"
	t := b.track(disc.Audio, 0, 320, 0)
	t.ISRC = "DEA123400001"
	t = b.track(disc.Audio, 150, 400, 2)
	t.ISRC, t.Control = "DEA123400002", disc.CopyPermitted
	t = b.track(disc.Audio, 33, 350, 0)
	t.Control = disc.PreEmphasis
	b.track(disc.Audio, 0, 310, 1)
	block := disc.TextBlock{Language: disc.LanguageEnglish}
	block.SetText(disc.PackTitle, 0, "Noise for Tests")
	block.SetText(disc.PackPerformer, 0, "The Generators")
	for n := range 4 {
		block.SetText(disc.PackTitle, n+1, fmt.Sprintf("Movement %d, \u00e9tude", n+1))
		block.SetText(disc.PackPerformer, n+1, "The Generators")
	}
	b.text(block)
	return b
}

func (b *builder) text(blocks ...disc.TextBlock) {
	packs, err := disc.EncodeCDText(blocks, 1, len(b.layout.Tracks()))
	if err != nil {
		panic(err) // the texts are constants of this package
	}
	b.layout.CDText = packs
}

func data() *builder {
	b := newBuilder()
	b.track(disc.Mode1, 0, 2000, 0)
	return b
}

func mixed() *builder {
	b := newBuilder()
	b.track(disc.Mode1, 0, 600, 0)
	b.track(disc.Audio, 150, 400, 0)
	b.track(disc.Audio, 0, 300, 1)
	return b
}

func twoSession() *builder {
	b := newBuilder()
	b.track(disc.Mode1, 0, 400, 0)
	b.session(disc.FormatCDROM)
	b.track(disc.Mode1, 0, 350, 0)
	return b
}

func cdExtra() *builder {
	b := newBuilder()
	b.track(disc.Audio, 0, 300, 0)
	b.track(disc.Audio, 75, 300, 0)
	b.session(disc.FormatXA)
	b.track(disc.Mode2, 0, 500, 0)
	return b
}

func hidden() *builder {
	b := newBuilder()
	b.track(disc.Audio, 500, 300, 0)
	b.track(disc.Audio, 0, 300, 0)
	return b
}

func xa() *builder {
	b := newBuilder()
	b.layout.Sessions[0].Format = disc.FormatXA
	b.track(disc.Mode2, 0, 500, 0)
	b.track(disc.Mode2, 150, 400, 0)
	return b
}

func tracks99() *builder {
	b := newBuilder()
	for i := range 99 {
		b.track(disc.Audio, i%4*5, 40, 0)
	}
	return b
}

// cdText has two languages, and composers: more than a CUE sheet can say.
func cdText() *builder {
	b := newBuilder()
	b.track(disc.Audio, 0, 300, 0)
	b.track(disc.Audio, 0, 300, 0)
	english := disc.TextBlock{Language: disc.LanguageEnglish, GenreCode: 5, Genre: "Test music"}
	japanese := disc.TextBlock{Language: 0x69, Charset: disc.CharsetShiftJIS}
	for n, s := range []string{"Album", "First", "Second"} {
		english.SetText(disc.PackTitle, n, s)
		english.SetText(disc.PackComposer, n, "Composer of "+s)
	}
	for n, s := range []string{"\u97f3\u697d", "\u4e00", "\u4e8c"} {
		japanese.SetText(disc.PackTitle, n, s)
	}
	b.text(english, japanese)
	return b
}

// demo is the disc of the README: a data track and two of audio.
func demo() *builder {
	b := newBuilder()
	b.tones = true
	b.layout.MCN = "4000000000006"
	files, err := authorISO("SPINDLE_DEMO", map[string]string{
		"readme.txt":       "This disc was made by spindle's own test programs.\n",
		"docs/numbers.txt": numbers(2000),
	})
	if err != nil {
		panic(err) // the content is constant
	}
	s := &b.layout.Sessions[0]
	n := max(300, len(files)/2048)
	t := disc.Track{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: disc.LBA(n)}
	for a := range t.End {
		var sec [cdsector.Size]byte
		if at := int(a) * 2048; at < len(files) {
			copy(sec[16:2064], files[at:])
		}
		m := a.MSF()
		cdsector.SetHeader(&sec, m, 1)
		cdsector.Seal(&sec, cdsector.Mode1)
		b.bin.Write(sec[:])
	}
	s.Tracks, s.LeadOut, b.at = append(s.Tracks, t), t.End, t.End
	b.track(disc.Audio, 150, 300, 0).ISRC = "DEA122600001"
	b.track(disc.Audio, 0, 300, 1).ISRC = "DEA122600002"
	block := disc.TextBlock{Language: disc.LanguageEnglish}
	for n, title := range []string{"Demonstration", "", "Low Tone", "High Tone"} {
		block.SetText(disc.PackTitle, n, title)
	}
	b.text(block)
	return b
}

func numbers(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintln(&s, i)
	}
	return s.String()
}

// authorISO makes a small ISO 9660 image.
func authorISO(label string, files map[string]string) ([]byte, error) {
	w, err := iso9660.NewWriter()
	if err != nil {
		return nil, err
	}
	defer w.Cleanup()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := w.AddFile(strings.NewReader(files[name]), name); err != nil {
			return nil, err
		}
	}
	var out bytes.Buffer
	if err := w.WriteTo(&out, label); err != nil {
		return nil, err
	}
	b := out.Bytes()
	// The library stamps the time of making; the same call is to give the
	// same bytes. Dates of the primary descriptor: ECMA-119 8.4.26 to 8.4.29.
	const descriptor = 16 * 2048
	for at := 813; at <= 864; at += 17 {
		copy(b[descriptor+at:], "0000000000000000\x00")
	}
	return b, nil
}

// iso is a data disc as an .iso.
var iso = sync.OnceValues(func() ([]byte, error) {
	return authorISO("TEST_ISO", map[string]string{"numbers.txt": numbers(100000), "sub/more.txt": numbers(3000)})
})

func writeISO(base string) (string, error) {
	b, err := iso()
	if err != nil {
		return "", err
	}
	return base + ".iso", os.WriteFile(base+".iso", b, 0o666)
}
