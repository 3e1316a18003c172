package chd

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
	"spindle/image/chd/hunks"
)

const (
	frameSize = cdsector.Size + cdsector.SubSize // stored for each sector of a CD
	blockSize = cdsector.UserSize
	trackPad  = 4       // frames: each track begins at a multiple
	maxFrames = 1 << 24 // of a track
	maxGap    = 1 << 19 // frames: more than any CD has
)

// The tags of metadata that say which disc a CHD holds.
const (
	tagTrack    = "CHT2"
	tagOldTrack = "CHTR"
	tagTable    = "CHCD"
	tagGD       = "CHGD"
	tagOldGD    = "CHGT"
	tagDVD      = "DVD "
)

// A track is what the metadata say of one.
type track struct {
	number         int
	kind           *trackType
	sub            string
	frames         int // stored of the disc, with a pregap that is stored, and pad
	pregap         int
	pregapStored   bool
	postgap        int // never stored
	pad            int // at the end of frames: up to where the next track starts
	behind         int // frames in the file that are not part of the disc
	gd             bool
	littleEndian   bool // samples
	metadataOffset int64
}

// A trackType is how the sectors of a track are stored.
type trackType struct {
	names []string // as written today, then others
	form  disc.Form
	mode  disc.Mode
}

// trackTypes are in the order of their numbers in a [tagTable].
var trackTypes = []trackType{
	{[]string{"MODE1", "MODE1/2048"}, disc.FormMode1, disc.Mode1},
	{[]string{"MODE1_RAW", "MODE1/2352"}, disc.FormRaw, disc.Mode1},
	{[]string{"MODE2", "MODE2/2336"}, disc.FormMode2, disc.Mode2},
	{[]string{"MODE2_FORM1", "MODE2/2048"}, disc.FormXA1, disc.Mode2},
	{[]string{"MODE2_FORM2", "MODE2/2324"}, disc.FormXA2, disc.Mode2},
	{[]string{"MODE2_FORM_MIX"}, disc.FormMode2, disc.Mode2},
	{[]string{"MODE2_RAW", "MODE2/2352", "CDI/2352"}, disc.FormRaw, disc.Mode2},
	{[]string{"AUDIO"}, disc.FormSwapped, disc.Audio},
}

// The kinds of sub-channels, in the order of their numbers in a [tagTable]: R to W with P
// and Q only perhaps; the same, interleaved; none.
var subTypes = []string{"RW", "RW_RAW", "NONE"}

// contentsOf makes the contents of an image of a CHD whose metadata say which disc it is.
// Of others it is nil.
func contentsOf(h *hunks.File) (*disc.Contents, error) {
	tracks, err := readTracks(h.Metadata())
	if err != nil {
		return nil, err
	}
	if len(tracks) > 0 {
		if u := h.UnitSize(); u != frameSize && u != 0 {
			return nil, fmt.Errorf("%w: tracks of a CD in units of %d bytes", hunks.ErrFormat, u)
		}
		return placeTracks(tracks, h)
	}
	if slices.ContainsFunc(h.Metadata(), func(m hunks.Metadata) bool { return m.Tag == tagDVD }) {
		return blocks(h, func(sectors int64) disc.Medium {
			return disc.MediumFor(max(sectors, disc.LargestCD+1))
		})
	}
	return nil, nil
}

// blocks makes the contents of one data track of 2048 bytes a sector.
func blocks(h *hunks.File, medium func(sectors int64) disc.Medium) (*disc.Contents, error) {
	n := h.Size() / blockSize
	if h.Size()%blockSize != 0 || n > disc.MaxLBA {
		return nil, fmt.Errorf("%w: it holds %d bytes, which are not the sectors of a disc: a hard disk, perhaps", hunks.ErrUnsupported, h.Size())
	}
	l := dataLayout(medium(n), disc.LBA(n))
	e := disc.Extent{Count: int(n), Source: h, Form: disc.FormBlock}
	if l.Medium == disc.CD {
		e.Form = disc.FormMode1
	}
	return &disc.Contents{Layout: l, Extents: []disc.Extent{e}}, nil
}

func dataLayout(medium disc.Medium, end disc.LBA) *disc.Layout {
	return &disc.Layout{Medium: medium, Sessions: []disc.Session{{
		Number: 1, LeadOut: end,
		Tracks: []disc.Track{{Number: 1, Mode: disc.Mode1, Control: disc.DataTrack, End: end}},
	}}}
}

// readTracks reads what the metadata say of the tracks, in their order.
func readTracks(all []hunks.Metadata) ([]track, error) {
	var tracks []track
	for i := range all {
		m := &all[i]
		var err error
		switch m.Tag {
		case tagTrack, tagOldTrack, tagGD, tagOldGD:
			var t track
			if t, err = parseTrack(m); err == nil {
				tracks = append(tracks, t)
			}
		case tagTable:
			var more []track
			if more, err = parseTable(m); len(tracks) == 0 {
				tracks = more
			}
		}
		if err != nil {
			return nil, fmt.Errorf("%w: metadata %s at byte %d: %w", hunks.ErrFormat, m.Tag, m.Offset, err)
		}
	}
	const most = 99
	if len(tracks) > most {
		return nil, fmt.Errorf("%w: it has %d tracks", hunks.ErrFormat, len(tracks))
	}
	for i, t := range tracks {
		if t.number != i+1 {
			return nil, fmt.Errorf("%w: metadata at byte %d: track number %d, where %d is due", hunks.ErrFormat, t.metadataOffset, t.number, i+1)
		}
	}
	return tracks, nil
}

// parseTrack reads fields as in "TRACK:1 TYPE:AUDIO FRAMES:300".
func parseTrack(m *hunks.Metadata) (track, error) {
	fields := make(map[string]string)
	for _, f := range strings.Fields(strings.TrimRight(string(m.Data), "\x00")) {
		name, value, _ := strings.Cut(f, ":")
		fields[name] = value
	}
	gd := m.Tag == tagGD || m.Tag == tagOldGD
	t := track{gd: gd, littleEndian: m.Tag == tagOldGD, sub: fields["SUBTYPE"], metadataOffset: m.Offset}
	for name, to := range map[string]*int{
		"TRACK": &t.number, "FRAMES": &t.frames, "PREGAP": &t.pregap, "POSTGAP": &t.postgap, "PAD": &t.pad,
	} {
		value, ok := fields[name]
		if !ok {
			continue
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > maxFrames {
			return t, fmt.Errorf("%s is %q", name, value)
		}
		*to = n
	}
	t.pregapStored = strings.HasPrefix(fields["PGTYPE"], "V")
	for i := range trackTypes {
		if slices.Contains(trackTypes[i].names, fields["TYPE"]) {
			t.kind = &trackTypes[i]
		}
	}
	if t.kind == nil {
		return t, fmt.Errorf("TYPE is %q", fields["TYPE"])
	}
	t.behind = (trackPad - t.frames%trackPad) % trackPad
	return t, t.check()
}

func (t *track) check() error {
	switch {
	case t.pad >= t.frames:
		return fmt.Errorf("track %d has %d frames, of which %d are filler", t.number, t.frames, t.pad)
	case t.pregap > maxGap || t.postgap > maxGap:
		return fmt.Errorf("PREGAP is %d and POSTGAP %d", t.pregap, t.postgap)
	case t.sub != "" && !slices.Contains(subTypes, t.sub):
		return fmt.Errorf("SUBTYPE is %q", t.sub)
	}
	return nil
}

// parseTable reads the table of old files: a number of tracks, and for each six numbers, in
// the order of bytes of the machine that wrote it.
func parseTable(m *hunks.Metadata) ([]track, error) {
	const most, fields, size = 99, 6, 4
	if len(m.Data) < size {
		return nil, fmt.Errorf("it has %d bytes", len(m.Data))
	}
	var order binary.ByteOrder = binary.BigEndian
	n := order.Uint32(m.Data)
	if n > most {
		order = binary.LittleEndian
		n = order.Uint32(m.Data)
	}
	if n > most || len(m.Data) < size+int(n)*fields*size {
		return nil, fmt.Errorf("it has %d tracks in %d bytes", n, len(m.Data))
	}
	var all []track
	for i := range int(n) {
		var v [fields]int
		for k := range v {
			v[k] = int(min(order.Uint32(m.Data[size+(i*fields+k)*size:]), maxFrames+1))
		}
		kind, sub, frames, behind := v[0], v[1], v[4], v[5]
		if kind >= len(trackTypes) || sub >= len(subTypes) || frames > maxFrames || behind > maxFrames {
			return nil, fmt.Errorf("track %d states the type %d, the sub-channels %d, %d frames and %d behind them", i+1, kind, sub, frames, behind)
		}
		t := track{number: i + 1, kind: &trackTypes[kind], sub: subTypes[sub], frames: frames, behind: behind, metadataOffset: m.Offset}
		if err := t.check(); err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// A placer lays tracks out on a disc.
type placer struct {
	h     *hunks.File
	l     *disc.Layout
	out   []disc.Extent
	at    disc.LBA // where the next track begins
	from  int64    // the next frame in the file
	pad   int      // before the next track, of the one before
	flaws disc.Flaws
}

// highDensity is where the second area of a GD-ROM begins, with track 3. It is a session
// of its own here.
const highDensity disc.LBA = 45000

func placeTracks(tracks []track, h *hunks.File) (*disc.Contents, error) {
	if t := &tracks[0]; len(tracks) == 1 && t.kind.form == disc.FormMode1 && t.frames > disc.LargestCD {
		return asDVD(t, h)
	}
	p := placer{h: h, l: &disc.Layout{Sessions: []disc.Session{{Number: 1}}}}
	for i := range tracks {
		if err := p.place(&tracks[i], i == 0); err != nil {
			return nil, fmt.Errorf("%w: metadata at byte %d: %w", hunks.ErrFormat, tracks[i].metadataOffset, err)
		}
	}
	if err := allDescribed(p.from, h); err != nil {
		return nil, err
	}
	return &disc.Contents{Layout: p.l, Extents: p.out, Flaws: p.flaws}, nil
}

// allDescribed makes sure that the tracks, which have so many frames, are all that a CHD holds. Its
// last hunk may not be full.
func allDescribed(frames int64, h *hunks.File) error {
	all := h.Size() / frameSize
	if all-frames >= max(trackPad, int64(h.HunkSize()/frameSize)) {
		return fmt.Errorf("%w: its metadata tell of %d frames, and it has %d", hunks.ErrFormat, frames, all)
	}
	return nil
}

// asDVD takes one track that is longer than any CD for a DVD, as chdman stored it before it
// knew DVDs.
func asDVD(t *track, h *hunks.File) (*disc.Contents, error) {
	if int64(t.frames)*frameSize > h.Size() {
		return nil, fmt.Errorf("%w: metadata at byte %d: track %d has %d frames, and there are %d",
			hunks.ErrFormat, t.metadataOffset, t.number, t.frames, h.Size()/frameSize)
	}
	if err := allDescribed(int64(t.frames+t.behind), h); err != nil {
		return nil, err
	}
	return &disc.Contents{
		Layout:  dataLayout(disc.MediumFor(int64(t.frames)), disc.LBA(t.frames)),
		Extents: []disc.Extent{{Count: t.frames, Source: h, Stride: frameSize, Form: disc.FormBlock}},
	}, nil
}

func (p *placer) place(t *track, first bool) error {
	if end := p.from + int64(t.frames); end > p.h.Size()/frameSize {
		return fmt.Errorf("track %d ends with frame %d, and there are %d", t.number, end, p.h.Size()/frameSize)
	}
	s := &p.l.Sessions[len(p.l.Sessions)-1]
	if t.gd && p.at < highDensity && p.at+disc.LBA(p.pad) == highDensity {
		p.l.Sessions = append(p.l.Sessions, disc.Session{Number: s.Number + 1})
		s = &p.l.Sessions[len(p.l.Sessions)-1]
		p.at, p.pad = highDensity, 0
	}
	out := disc.Track{Number: t.number, Mode: t.kind.mode}
	if out.Mode.IsData() {
		out.Control = disc.DataTrack
	}
	begin := p.at
	// Filler between two tracks is the gap before the second.
	p.empty(p.pad, t.kind)
	switch {
	case t.pregapStored:
		out.Start = p.at + disc.LBA(t.pregap)
	case first && t.pregap == addr.Pregap: // the two seconds that every disc has
		out.Start = p.at
	default:
		p.empty(t.pregap, t.kind)
		out.Start = p.at
	}
	out.Pregap = int(out.Start - begin)
	n := t.frames - t.pad
	p.stored(t, n)
	if t.pregapStored && n <= t.pregap {
		p.missing(t.pregap+1-n, t.kind)
	}
	p.empty(t.postgap, t.kind)
	p.from += int64(t.pad + t.behind)
	p.pad = t.pad
	out.End = p.at
	s.Tracks, s.LeadOut = append(s.Tracks, out), out.End
	if out.Mode == disc.Mode2 {
		s.Format = disc.FormatXA
	}
	return nil
}

// stored adds n sectors that are in the file.
func (p *placer) stored(t *track, n int) {
	e := disc.Extent{First: p.at, Count: n, Source: p.h, Offset: p.from * frameSize, Stride: frameSize, Form: t.kind.form}
	if t.littleEndian && e.Form == disc.FormSwapped {
		e.Form = disc.FormRaw
	}
	if t.sub == subTypes[0] || t.sub == subTypes[1] {
		e.Sub = &disc.SubExtent{
			Source: p.h, Offset: e.Offset + cdsector.Size, Stride: frameSize,
			Interleaved: t.sub == subTypes[1], Blank: true,
		}
	}
	p.out = append(p.out, e)
	p.at += disc.LBA(n)
	p.from += int64(n)
}

// missing adds n sectors that the metadata tell of, and that are not there.
func (p *placer) missing(n int, k *trackType) {
	p.flaws = p.flaws.Union(disc.FlawsOf(disc.Flaw{First: p.at, Count: n, Kind: disc.Unread}))
	p.empty(n, k)
}

// empty adds n sectors that are in no file.
func (p *placer) empty(n int, k *trackType) {
	if n == 0 {
		return
	}
	form := map[disc.Mode]disc.Form{disc.Mode1: disc.FormMode1, disc.Mode2: disc.FormXA1}[k.mode]
	p.out = append(p.out, disc.Extent{First: p.at, Count: n, Form: form})
	p.at += disc.LBA(n)
}
