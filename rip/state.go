package rip

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"spindle/disc"
	"spindle/drive"
	"spindle/image/mapfile"
	"spindle/internal/atomicfile"
)

// stateComment begins the comment of the map that holds the state, in JSON, after the #.
const stateComment = " spindle: "

// stateVersion is the version of the state that is written. Version 1 had the
// names of Go's fields in its layout, and did not say of bad sectors whether they
// had been read with errors. Version 2 had no identity.
const (
	stateVersion    = 3
	withoutIdentity = 2 // also written, when an older rip is resumed
)

// A state is what must be the same when a rip is resumed.
type state struct {
	Format     Format
	Split      bool
	Subchannel bool
	Offset     int
	TOC        string // the ID of drive.Contents
	Sectors    int64
	Layout     *disc.Layout
	Identity   *identity // nil: a state older than version 3
	// Twice: what is finished of audio was read twice. Older versions relied on C2.
	Twice bool
	// Displaced: audio that is flawed was read by a drive without accurate stream.
	Displaced bool
	// Dropped: the drive's error pointers proved wrong.
	Dropped bool
	// Overread: the samples that an offset puts beyond the end of the disc were read.
	Overread bool
	// Proven: audio that is finished because something beside the drive proved it.
	Proven []drive.Stretch
	// Voted: audio that is finished because several readings of it agree sample by sample.
	Voted []Vote
	// Seal is what a run left; zero: it may have been written to since.
	Seal seal
	// Settled: audio that is finished because something beside the drive decided on it.
	Settled []Settled
	// Repaired: audio that something beside the drive made right.
	Repaired []Repaired
}

func newState(c *Contents, p *plan, opts Options, id *identity) *state {
	return &state{
		Format: opts.Format, Split: opts.Split, Subchannel: opts.Subchannel, Offset: opts.Offset,
		TOC: c.Contents.ID, Sectors: p.regions.sectors(), Layout: c.Layout, Identity: id, Twice: p.readTwice, Displaced: p.displaced,
		Dropped: p.dropped,
	}
}

// inherit takes over what an earlier run, if there was one, had found out.
func (s *state) inherit(earlier *state) {
	if earlier == nil {
		return
	}
	s.Offset = earlier.Offset // of the image; that of this drive may be another
	s.Proven, s.Overread = earlier.Proven, earlier.Overread
	s.Voted, s.Settled, s.Repaired = earlier.Voted, earlier.Settled, earlier.Repaired
}

// matches reports whether a rip was begun with these options. Of a CD, the offset is that of a drive,
// and a comparison tells whether that of another fits.
func (s *state) matches(opts Options) bool {
	offset := s.Offset == opts.Offset || s.Format == CueBin
	return s.Format == opts.Format && s.Split == opts.Split && s.Subchannel == opts.Subchannel && offset
}

// Errors about the map of an earlier run. They wrap [mapfile.ErrSyntax].
var (
	// ErrMapVersion: the map was written by a newer spindle.
	ErrMapVersion = fmt.Errorf("%w: it was written by another version of spindle", mapfile.ErrSyntax)
	// ErrForeignMap: the map is one of another program.
	ErrForeignMap = errors.New("the map was made by another program")
)

// The state as it stands in the map.
type (
	stateFile struct {
		stateFile2
		Identity identityFile `json:"identity"`
	}
	identityFile struct {
		MCN         string       `json:"mcn,omitempty"`
		MediaID     string       `json:"media_id,omitempty"`
		Descriptors []descriptor `json:"descriptors,omitempty"`
	}
	stateFile2 struct {
		Version    int        `json:"version"`
		Format     Format     `json:"format"`
		Split      bool       `json:"split,omitempty"`
		Subchannel bool       `json:"subchannel,omitempty"`
		Offset     int        `json:"offset,omitempty"`
		Twice      bool       `json:"audio_read_twice,omitempty"`
		Displaced  bool       `json:"audio_displaced,omitempty"`
		Dropped    bool       `json:"c2_dropped,omitempty"`
		Overread   bool       `json:"audio_overread,omitempty"`
		Proven     []runFile  `json:"proven,omitempty"`
		Voted      [][4]int   `json:"voted,omitempty"`    // sector, samples, how many of how many agree
		Settled    [][2]int   `json:"settled,omitempty"`  // sector, samples
		Repaired   [][3]int   `json:"repaired,omitempty"` // sector, samples, and how many of them came without a sign of error
		TOC        string     `json:"toc"`
		Sectors    int64      `json:"sectors"`
		Layout     layoutFile `json:"layout"`
	}
	runFile struct {
		First disc.LBA `json:"first"`
		End   disc.LBA `json:"end"`
	}
	layoutFile struct {
		Medium     string        `json:"medium"`
		Sessions   []sessionFile `json:"sessions"`
		MCN        string        `json:"mcn,omitempty"`
		CDText     []byte        `json:"cd_text,omitempty"`
		LayerBreak disc.LBA      `json:"layer_break,omitempty"`
	}
	sessionFile struct {
		Number  int         `json:"number"`
		Format  uint8       `json:"format"`
		LeadOut disc.LBA    `json:"lead_out"`
		Tracks  []trackFile `json:"tracks"`
	}
	trackFile struct {
		Number  int        `json:"number"`
		Mode    string     `json:"mode"`
		Control uint8      `json:"control"`
		ISRC    string     `json:"isrc,omitempty"`
		Start   disc.LBA   `json:"start"`
		Pregap  int        `json:"pregap,omitempty"`
		Indexes []disc.LBA `json:"indexes,omitempty"`
		End     disc.LBA   `json:"end"`
	}
)

// The state of version 1, whose layout has names of its own; those of the rest
// are the same.
type (
	stateFile1 struct {
		Version    int          `json:"version"`
		Format     Format       `json:"format"`
		Split      bool         `json:"split"`
		Subchannel bool         `json:"subchannel"`
		Offset     int          `json:"offset"`
		TOC        string       `json:"toc"`
		Sectors    int64        `json:"sectors"`
		Layout     *layoutFile1 `json:"layout"`
	}
	layoutFile1 struct {
		Medium     uint8          `json:"Medium"`
		Sessions   []sessionFile1 `json:"Sessions"`
		MCN        string         `json:"MCN"`
		CDText     []disc.Pack    `json:"CDText"`
		LayerBreak disc.LBA       `json:"LayerBreak"`
	}
	sessionFile1 struct {
		Number  int          `json:"Number"`
		Format  uint8        `json:"Format"`
		Tracks  []trackFile1 `json:"Tracks"`
		LeadOut disc.LBA     `json:"LeadOut"`
	}
	trackFile1 struct {
		Number  int        `json:"Number"`
		Mode    uint8      `json:"Mode"`
		Control uint8      `json:"Control"`
		ISRC    string     `json:"ISRC"`
		Start   disc.LBA   `json:"Start"`
		Pregap  int        `json:"Pregap"`
		Indexes []disc.LBA `json:"Indexes"`
		End     disc.LBA   `json:"End"`
	}
)

// Names of media and modes in the file.
var (
	mediumNames = map[disc.Medium]string{disc.CD: "CD", disc.DVD: "DVD", disc.BD: "BD"}
	modeNames   = map[disc.Mode]string{disc.Audio: "audio", disc.Mode0: "mode 0", disc.Mode1: "mode 1", disc.Mode2: "mode 2"}
)

// keyOf returns the key of a name in a table.
func keyOf[K comparable](names map[K]string, name string) (K, error) {
	for k, n := range names {
		if n == name {
			return k, nil
		}
	}
	var none K
	return none, fmt.Errorf("%q is unknown", name)
}

// encode gives the line that holds a state.
func (s *state) encode() string {
	f := stateFile{stateFile2: stateFile2{
		Version: stateVersion, Format: s.Format, Split: s.Split, Subchannel: s.Subchannel, Offset: s.Offset,
		Twice: s.Twice, Displaced: s.Displaced, Dropped: s.Dropped, Overread: s.Overread, TOC: s.TOC, Sectors: s.Sectors,
		Layout: layoutFile{Medium: mediumNames[s.Layout.Medium], MCN: s.Layout.MCN, LayerBreak: s.Layout.LayerBreak},
	}}
	if s.Identity == nil {
		f.Version = withoutIdentity
	} else {
		f.Identity = identityFile(*s.Identity)
	}
	for _, x := range s.Proven {
		f.Proven = append(f.Proven, runFile(x))
	}
	for _, v := range s.Voted {
		f.Voted = append(f.Voted, [4]int{int(v.At), v.Samples, v.Agree, v.Of})
	}
	for _, x := range s.Settled {
		f.Settled = append(f.Settled, [2]int{int(x.At), x.Samples})
	}
	for _, x := range s.Repaired {
		f.Repaired = append(f.Repaired, [3]int{int(x.At), x.Samples, x.Silent})
	}
	for _, p := range s.Layout.CDText {
		f.Layout.CDText = append(f.Layout.CDText, p[:]...)
	}
	for i := range s.Layout.Sessions {
		from := &s.Layout.Sessions[i]
		to := sessionFile{Number: from.Number, Format: uint8(from.Format), LeadOut: from.LeadOut}
		for _, t := range from.Tracks {
			to.Tracks = append(to.Tracks, trackFile{
				Number: t.Number, Mode: modeNames[t.Mode], Control: uint8(t.Control), ISRC: t.ISRC,
				Start: t.Start, Pregap: t.Pregap, Indexes: t.Indexes, End: t.End,
			})
		}
		f.Layout.Sessions = append(f.Layout.Sessions, to)
	}
	var v any = f
	if s.Identity == nil {
		v = f.stateFile2
	}
	b, err := json.Marshal(v)
	if err != nil { // a struct of plain values
		panic(err)
	}
	return stateComment + string(b)
}

// decodeState reads the JSON of a state. Errors wrap [mapfile.ErrSyntax].
func decodeState(text string) (*state, error) {
	var v struct {
		Version *int `json:"version"`
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil || v.Version == nil {
		return nil, fmt.Errorf("%w: the state of the rip cannot be read", mapfile.ErrSyntax)
	}
	var (
		s   *state
		err error
	)
	switch *v.Version {
	case 1:
		s, err = decodeState1(text)
	case withoutIdentity:
		var f stateFile2
		if err = strict(text, &f); err == nil {
			s, err = f.decode()
		}
	case stateVersion:
		s, err = decodeState3(text)
	default:
		return nil, fmt.Errorf("%w (%d; this one reads up to %d)", ErrMapVersion, *v.Version, stateVersion)
	}
	if err == nil {
		err = s.validate()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the state of the rip cannot be read: %w", mapfile.ErrSyntax, err)
	}
	return s, nil
}

// strict decodes JSON of which no field is unknown.
func strict(text string, into any) error {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func decodeState3(text string) (*state, error) {
	var f stateFile
	if err := strict(text, &f); err != nil {
		return nil, err
	}
	s, err := f.decode()
	if err != nil {
		return nil, err
	}
	id := identity(f.Identity)
	if len(id.Descriptors) == 0 {
		id.Descriptors = nil
	}
	s.Identity = &id
	return s, nil
}

func (f *stateFile2) decode() (*state, error) {
	l := &disc.Layout{MCN: f.Layout.MCN, LayerBreak: f.Layout.LayerBreak}
	var err error
	if l.Medium, err = keyOf(mediumNames, f.Layout.Medium); err != nil {
		return nil, fmt.Errorf("medium %w", err)
	}
	packs := f.Layout.CDText
	if len(packs)%disc.PackSize != 0 {
		return nil, fmt.Errorf("%d bytes of CD-TEXT are not whole packs", len(packs))
	}
	for ; len(packs) > 0; packs = packs[disc.PackSize:] {
		l.CDText = append(l.CDText, disc.Pack(packs))
	}
	for _, from := range f.Layout.Sessions {
		to := disc.Session{Number: from.Number, Format: disc.SessionFormat(from.Format), LeadOut: from.LeadOut}
		for _, t := range from.Tracks {
			mode, err := keyOf(modeNames, t.Mode)
			if err != nil {
				return nil, fmt.Errorf("track %d: mode %w", t.Number, err)
			}
			to.Tracks = append(to.Tracks, disc.Track{
				Number: t.Number, Mode: mode, Control: disc.Control(t.Control), ISRC: t.ISRC,
				Start: t.Start, Pregap: t.Pregap, Indexes: t.Indexes, End: t.End,
			})
		}
		l.Sessions = append(l.Sessions, to)
	}
	var proven []drive.Stretch
	for _, x := range f.Proven {
		proven = append(proven, drive.Stretch(x))
	}
	var voted []Vote
	for _, x := range f.Voted {
		voted = append(voted, Vote{disc.LBA(x[0]), x[1], x[2], x[3]})
	}
	var settled []Settled
	for _, x := range f.Settled {
		settled = append(settled, Settled{disc.LBA(x[0]), x[1]})
	}
	var fixed []Repaired
	for _, x := range f.Repaired {
		fixed = append(fixed, Repaired{disc.LBA(x[0]), x[1], x[2]})
	}
	return &state{
		Repaired: fixed, Settled: settled, Voted: voted, Proven: proven, Overread: f.Overread,
		Format: f.Format, Split: f.Split, Subchannel: f.Subchannel, Offset: f.Offset, Twice: f.Twice, Displaced: f.Displaced, Dropped: f.Dropped, TOC: f.TOC, Sectors: f.Sectors,
		Layout: l,
	}, nil
}

func decodeState1(text string) (*state, error) {
	var f stateFile1
	if err := strict(text, &f); err != nil {
		return nil, err
	}
	if f.Layout == nil {
		return nil, errors.New("it has no layout")
	}
	l := &disc.Layout{
		Medium: disc.Medium(f.Layout.Medium), MCN: f.Layout.MCN, CDText: f.Layout.CDText, LayerBreak: f.Layout.LayerBreak,
	}
	if mediumNames[l.Medium] == "" {
		return nil, fmt.Errorf("medium %d is unknown", f.Layout.Medium)
	}
	for _, from := range f.Layout.Sessions {
		to := disc.Session{Number: from.Number, Format: disc.SessionFormat(from.Format), LeadOut: from.LeadOut}
		for _, t := range from.Tracks {
			if modeNames[disc.Mode(t.Mode)] == "" {
				return nil, fmt.Errorf("track %d: mode %d is unknown", t.Number, t.Mode)
			}
			to.Tracks = append(to.Tracks, disc.Track{
				Number: t.Number, Mode: disc.Mode(t.Mode), Control: disc.Control(t.Control), ISRC: t.ISRC,
				Start: t.Start, Pregap: t.Pregap, Indexes: t.Indexes, End: t.End,
			})
		}
		l.Sessions = append(l.Sessions, to)
	}
	return &state{
		Format: f.Format, Split: f.Split, Subchannel: f.Subchannel, Offset: f.Offset, TOC: f.TOC, Sectors: f.Sectors, Layout: l,
	}, nil
}

// validate checks what no type says.
func (s *state) validate() error {
	switch {
	case s.Format != CueBin && s.Format != ISO:
		return fmt.Errorf("format %q is unknown", s.Format)
	case s.TOC == "":
		return errors.New("it does not name the disc")
	case s.Sectors <= 0 || s.Sectors > disc.MaxLBA:
		return fmt.Errorf("%d sectors", s.Sectors)
	}
	if err := s.Layout.Validate(); err != nil {
		return err
	}
	return s.Identity.validate()
}

// encodeMap makes the map as it stands in the file, with the state.
func encodeMap(m *mapfile.Map, s *state) *mapfile.Map {
	c := m.Clone()
	c.Comments = []string{mapfile.Title, s.encode()}
	if s.Seal != (seal{}) {
		c.Comments = append(c.Comments, s.Seal.encode())
	}
	return c
}

// decodeMap takes the state and what the comments say from a map that was read.
// Errors wrap [mapfile.ErrSyntax], or are [ErrForeignMap].
func decodeMap(m *mapfile.Map) (*state, error) {
	var s *state
	var sealed seal
	for _, c := range m.Comments {
		if text, ok := strings.CutPrefix(c, sealComment); ok {
			var err error
			if sealed, err = decodeSeal(text); err != nil {
				return nil, err
			}
		}
		if text, ok := strings.CutPrefix(c, stateComment); ok {
			if s != nil {
				return nil, fmt.Errorf("%w: it has two states", mapfile.ErrSyntax)
			}
			var err error
			if s, err = decodeState(text); err != nil {
				return nil, err
			}
		}
	}
	if s == nil {
		return nil, ErrForeignMap
	}
	s.Seal = sealed
	size := int64(2048)
	if s.Format == CueBin {
		size = int64(disc.CD.SectorSize())
	}
	if m.Size() != s.Sectors*size {
		return nil, fmt.Errorf("%w: it is for %d bytes, and the image has %d", mapfile.ErrSyntax, m.Size(), s.Sectors*size)
	}
	for _, b := range m.Blocks() {
		if b.Size%size != 0 {
			return nil, fmt.Errorf("%w: the block at %d is not of whole sectors", mapfile.ErrSyntax, b.Pos)
		}
	}
	m.Comments = nil
	return s, nil
}

func writeMap(path string, m *mapfile.Map, s *state) error {
	return atomicfile.Write(path, func(f *os.File) error {
		_, err := encodeMap(m, s).WriteTo(f)
		return err
	})
}
