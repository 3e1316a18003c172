// Package nrg reads and writes the tables of Nero Burning ROM's disc images. An .nrg
// file is the sectors of all tracks, then a table of chunks that describes them,
// then a footer that says where the table starts. [Read] makes a [Table] of it,
// [Table.Place] the layout of the disc and where its sectors are; [FromLayout] makes
// the table of a disc, [Table.Bytes] its chunks. Package image/nrgfile opens and
// writes the files.
//
// Nero never published the format; the field names and meanings here are those that
// libmirage (cdemu) and nrg2iso have established.
package nrg

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"spindle/addr"
	"spindle/disc"
	"spindle/disc/cdsector"
)

// ErrFormat is what every error about a malformed file wraps.
var ErrFormat = errors.New("malformed Nero image")

// ErrNoFooter means that a file does not end as a Nero image does. It is an [ErrFormat].
var ErrNoFooter = fmt.Errorf("%w: it has no footer; was it cut short?", ErrFormat)

// footerSize is the most bytes a footer takes: that of version 2.
const footerSize = 12

// maxTable bounds the chunk table. 99 tracks need some 10 KiB, CD-TEXT 36 KiB.
const maxTable = 1 << 20

// Detect reports whether a file of the given size has the footer of a Nero image.
func Detect(r io.ReaderAt, size int64) bool {
	_, err := readFooter(r, size)
	return err == nil
}

// readFooter finds the chunk table. Version 1 of the format has addresses of 32
// bits, version 2 of 64.
func readFooter(r io.ReaderAt, size int64) (table int64, err error) {
	if size < footerSize {
		return 0, fmt.Errorf("%w: %d bytes", ErrFormat, size)
	}
	var b [footerSize]byte
	if _, err := r.ReadAt(b[:], size-footerSize); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	switch {
	case string(b[:4]) == "NER5":
		table = int64(binary.BigEndian.Uint64(b[4:]))
	case string(b[4:8]) == "NERO":
		table = int64(binary.BigEndian.Uint32(b[8:]))
	default:
		return 0, ErrNoFooter
	}
	if table < 0 || table >= size {
		return 0, fmt.Errorf("%w: the footer places the chunks at byte %d of %d", ErrFormat, table, size)
	}
	return table, nil
}

// A CuePoint is an entry of CUES or CUEX: where an index stands on the disc.
type CuePoint struct {
	Control disc.Control
	Track   int // 0 before the first, [cdsector.LeadOut] for the lead-out
	Index   int
	At      disc.LBA
}

// A DAOTrack is an entry of DAOI or DAOX: where a track written disc-at-once stands
// in the file.
type DAOTrack struct {
	ISRC               string
	SectorSize         int
	Mode               Mode
	Pregap, Start, End int64 // bytes: where INDEX 00, INDEX 01 and what follows are
}

// A TAOTrack is an entry of ETNF or ETN2: where a track written track-at-once
// stands in the file.
type TAOTrack struct {
	Offset, Size int64 // bytes
	Mode         Mode
	At           disc.LBA // of its start
}

// A Session is what the chunks up to a SINF say. It has tracks in one of the two
// forms.
type Session struct {
	Cues   []CuePoint
	DAO    []DAOTrack
	TAO    []TAOTrack
	Format disc.SessionFormat
	First  int // number of its first track, or 0
}

// A Table is the content of the chunks.
type Table struct {
	Sessions []Session
	MCN      string
	CDText   []disc.Pack
	Media    uint32 // MTYP: a set of bits, or 0
}

// Read reads the table of a file of the given size. Errors about its content wrap
// [ErrFormat].
func Read(r io.ReaderAt, size int64) (*Table, error) {
	at, err := readFooter(r, size)
	if err != nil {
		return nil, err
	}
	if size-at > maxTable {
		return nil, fmt.Errorf("%w: a chunk table of %d bytes", ErrFormat, size-at)
	}
	b := make([]byte, size-at)
	if _, err := io.ReadFull(io.NewSectionReader(r, at, size-at), b); err != nil {
		return nil, err
	}
	t := new(Table)
	cur := new(Session)
	for pos := 0; ; {
		if len(b)-pos < 8 {
			return nil, fmt.Errorf("%w: the chunks have no end", ErrFormat)
		}
		id, n := string(b[pos:pos+4]), int64(binary.BigEndian.Uint32(b[pos+4:]))
		if n > int64(len(b)-pos-8) {
			return nil, fmt.Errorf("%w: chunk %q at byte %d is longer than the file", ErrFormat, id, at+int64(pos))
		}
		data := b[pos+8 : pos+8+int(n)]
		if id == "END!" {
			break
		}
		if err := t.chunk(cur, id, data); err != nil {
			return nil, fmt.Errorf("chunk %q at byte %d: %w", id, at+int64(pos), err)
		}
		if id == "SINF" { // it ends a session
			t.Sessions = append(t.Sessions, *cur)
			cur = new(Session)
		}
		pos += 8 + int(n)
	}
	if len(cur.DAO) > 0 || len(cur.TAO) > 0 { // some programs leave SINF out
		t.Sessions = append(t.Sessions, *cur)
	}
	if len(t.Sessions) == 0 {
		return nil, fmt.Errorf("%w: no chunk describes a track", ErrFormat)
	}
	return t, nil
}

// BeginsTable reports whether bytes are the beginning of a chunk table, which may be cut short.
func BeginsTable(b []byte) bool {
	return slices.ContainsFunc([]string{"CUES", "CUEX", "ETNF", "ETN2", "DAOI", "DAOX", "CDTX", "SINF", "MTYP", "DINF", "TOCT", "RELO", "VOLM"}, func(id string) bool {
		n := min(len(id), len(b))
		return string(b[:n]) == id[:n]
	})
}

// chunk reads one chunk. Those that say nothing of the disc (DINF, TOCT, RELO, VOLM
// and whatever else there is) are passed over.
func (t *Table) chunk(s *Session, id string, b []byte) error {
	switch id {
	case "CUES", "CUEX":
		return s.readCues(b, id == "CUEX")
	case "DAOI", "DAOX":
		return s.readDAO(b, id == "DAOX", t)
	case "ETNF", "ETN2":
		return s.readTAO(b, id == "ETN2")
	case "MTYP":
		if len(b) >= 4 {
			t.Media = binary.BigEndian.Uint32(b)
		}
	case "CDTX":
		packs, _, err := disc.ParsePacks(b)
		if err != nil {
			return err
		}
		t.CDText = packs
	}
	return nil
}

const cueEntry = 8

func (s *Session) readCues(b []byte, lba bool) error {
	if len(b)%cueEntry != 0 {
		return fmt.Errorf("%w: %d bytes are no whole number of entries", ErrFormat, len(b))
	}
	for ; len(b) > 0; b = b[cueEntry:] {
		p := CuePoint{Control: disc.Control(b[0] >> 4)}
		p.Track, _ = addr.FromBCD(b[1]) // AAh in the lead-out
		p.Index, _ = addr.FromBCD(b[2])
		if b[1] == cdsector.LeadOut {
			p.Track = cdsector.LeadOut
		}
		if lba {
			p.At = disc.LBA(int32(binary.BigEndian.Uint32(b[4:])))
		} else {
			p.At = disc.MSF{M: int(b[5]), S: int(b[6]), F: int(b[7])}.LBA()
		}
		s.Cues = append(s.Cues, p)
	}
	return nil
}

// Sizes of DAOI and DAOX: the header, and what an entry has before its offsets.
const (
	daoHeader = 22
	daoCommon = 18
)

func (s *Session) readDAO(b []byte, wide bool, t *Table) error {
	if len(b) < daoHeader {
		return fmt.Errorf("%w: %d bytes", ErrFormat, len(b))
	}
	if mcn := string(b[4:17]); cdsector.ValidMCN(mcn) && mcn != "0000000000000" {
		t.MCN = mcn
	}
	s.Format, s.First = disc.SessionFormat(b[18]), int(b[20])
	width := 4
	if wide {
		width = 8
	}
	size := daoCommon + 3*width
	b = b[daoHeader:]
	if len(b)%size != 0 || len(b) == 0 || len(b)/size > 99 {
		return fmt.Errorf("%w: %d bytes are no whole number of tracks", ErrFormat, len(b))
	}
	for ; len(b) > 0; b = b[size:] {
		d := DAOTrack{SectorSize: int(binary.BigEndian.Uint16(b[12:])), Mode: Mode(b[14])}
		if isrc := string(b[:12]); cdsector.ValidISRC(isrc) {
			d.ISRC = isrc
		}
		for i, p := range []*int64{&d.Pregap, &d.Start, &d.End} {
			*p = readOffset(b[daoCommon+i*width:], wide)
		}
		if d.Pregap < 0 || d.Start < d.Pregap || d.End <= d.Start {
			return fmt.Errorf("%w: a track with its pregap at byte %d, its start at %d and its end at %d",
				ErrFormat, d.Pregap, d.Start, d.End)
		}
		s.DAO = append(s.DAO, d)
	}
	return nil
}

func readOffset(b []byte, wide bool) int64 {
	if wide {
		return int64(binary.BigEndian.Uint64(b))
	}
	return int64(binary.BigEndian.Uint32(b))
}

func (s *Session) readTAO(b []byte, wide bool) error {
	width, size := 4, 20
	if wide {
		width, size = 8, 32
	}
	if len(b)%size != 0 || len(b)/size > 99 {
		return fmt.Errorf("%w: %d bytes are no whole number of tracks", ErrFormat, len(b))
	}
	for ; len(b) > 0; b = b[size:] {
		e := TAOTrack{
			Offset: readOffset(b, wide), Size: readOffset(b[width:], wide),
			Mode: Mode(b[2*width+3]), At: disc.LBA(int32(binary.BigEndian.Uint32(b[2*width+4:]))),
		}
		if e.Offset < 0 || e.Size <= 0 {
			return fmt.Errorf("%w: a track of %d bytes at byte %d", ErrFormat, e.Size, e.Offset)
		}
		s.TAO = append(s.TAO, e)
	}
	return nil
}

// A Mode is Nero's code for how the sectors of a track are stored.
type Mode byte

// The modes. Those with sub-channels have 96 interleaved bytes behind each sector.
const (
	Mode1User   Mode = 0x00 // 2048 bytes: user data of Mode 1, a DVD or a BD
	Mode2Form1  Mode = 0x02 // 2048 bytes: user data of XA form 1
	Mode2       Mode = 0x03 // 2336 bytes: all that follows the header
	Mode1Raw    Mode = 0x05 // 2352 bytes
	Mode2Raw    Mode = 0x06
	Audio       Mode = 0x07
	Mode1RawSub Mode = 0x0F // 2352 + 96 bytes
	AudioSub    Mode = 0x10
	Mode2RawSub Mode = 0x11
)

// A coding is what a Mode stands for.
type coding struct {
	mode   disc.Mode
	form   disc.Form
	stride int // bytes, with sub-channels
}

var codings = map[Mode]coding{
	Mode1User:   {disc.Mode1, disc.FormMode1, 2048},
	Mode2Form1:  {disc.Mode2, disc.FormXA1, 2048},
	Mode2:       {disc.Mode2, disc.FormMode2, 2336},
	Mode1Raw:    {disc.Mode1, disc.FormRaw, 2352},
	Mode2Raw:    {disc.Mode2, disc.FormRaw, 2352},
	Audio:       {disc.Audio, disc.FormRaw, 2352},
	Mode1RawSub: {disc.Mode1, disc.FormRaw, 2448},
	AudioSub:    {disc.Audio, disc.FormRaw, 2448},
	Mode2RawSub: {disc.Mode2, disc.FormRaw, 2448},
}

func (m Mode) coding() (coding, error) {
	c, ok := codings[m]
	if !ok {
		return coding{}, fmt.Errorf("%w: unknown track mode %#02x", ErrFormat, byte(m))
	}
	return c, nil
}

// SectorSize returns how many bytes of a file a sector takes, with its sub-channels,
// or 0 for an unknown mode.
func (m Mode) SectorSize() int { return codings[m].stride }

// points returns the cue points of a track, in the order of their indexes.
func (s *Session) points(track int) []CuePoint {
	var all []CuePoint
	for _, p := range s.Cues {
		if p.Track == track {
			all = append(all, p)
		}
	}
	slices.SortStableFunc(all, func(a, b CuePoint) int { return a.Index - b.Index })
	return all
}
