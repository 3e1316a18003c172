// Package nrg reads and writes the disc images of Nero Burning ROM. An .nrg file is the
// sectors of all tracks, then a table of chunks that describes them, then a
// footer that says where the table starts. Nero never published the format; the
// field names and meanings here are those that libmirage (cdemu) and nrg2iso
// have established.
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
		return 0, fmt.Errorf("%w: it has no footer; was it cut short?", ErrFormat)
	}
	if table < 0 || table >= size {
		return 0, fmt.Errorf("%w: the footer places the chunks at byte %d of %d", ErrFormat, table, size)
	}
	return table, nil
}

// A cuePoint is an entry of CUES or CUEX: where an index stands on the disc.
type cuePoint struct {
	control disc.Control
	track   int // cdsector.LeadOut for the lead-out
	index   int
	at      disc.LBA
}

// A daoTrack is an entry of DAOI or DAOX: where a track stands in the file.
type daoTrack struct {
	isrc               string
	sectorSize         int
	mode               byte
	pregap, start, end int64 // bytes
}

// A taoTrack is an entry of ETNF or ETN2.
type taoTrack struct {
	offset, size int64
	mode         byte
	at           disc.LBA
}

// A session is what the chunks up to a SINF say.
type session struct {
	cues []cuePoint
	dao  []daoTrack
	tao  []taoTrack
	toc  disc.SessionFormat
}

// table is the content of the chunks.
type table struct {
	sessions []session
	mcn      string
	cdText   []disc.Pack
	media    uint32 // MTYP, or 0
}

// readTable reads the chunks.
func readTable(r io.ReaderAt, size int64) (*table, error) {
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
	t := new(table)
	cur := new(session)
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
			t.sessions = append(t.sessions, *cur)
			cur = new(session)
		}
		pos += 8 + int(n)
	}
	if len(cur.dao) > 0 || len(cur.tao) > 0 { // some programs leave SINF out
		t.sessions = append(t.sessions, *cur)
	}
	if len(t.sessions) == 0 {
		return nil, fmt.Errorf("%w: no chunk describes a track", ErrFormat)
	}
	return t, nil
}

// chunk reads one chunk. Those that say nothing of the disc (DINF, TOCT, RELO, VOLM
// and whatever else there is) are passed over.
func (t *table) chunk(s *session, id string, b []byte) error {
	switch id {
	case "CUES", "CUEX":
		return s.readCues(b, id == "CUEX")
	case "DAOI", "DAOX":
		return s.readDAO(b, id == "DAOX", t)
	case "ETNF", "ETN2":
		return s.readTAO(b, id == "ETN2")
	case "MTYP":
		if len(b) >= 4 {
			t.media = binary.BigEndian.Uint32(b)
		}
	case "CDTX":
		packs, _, err := disc.ParsePacks(b)
		if err != nil {
			return err
		}
		t.cdText = packs
	}
	return nil
}

const cueEntry = 8

func (s *session) readCues(b []byte, lba bool) error {
	if len(b)%cueEntry != 0 {
		return fmt.Errorf("%w: %d bytes are no whole number of entries", ErrFormat, len(b))
	}
	for ; len(b) > 0; b = b[cueEntry:] {
		p := cuePoint{control: disc.Control(b[0] >> 4)}
		p.track, _ = addr.FromBCD(b[1]) // AAh in the lead-out
		p.index, _ = addr.FromBCD(b[2])
		if b[1] == cdsector.LeadOut {
			p.track = cdsector.LeadOut
		}
		if lba {
			p.at = disc.LBA(int32(binary.BigEndian.Uint32(b[4:])))
		} else {
			p.at = disc.MSF{M: int(b[5]), S: int(b[6]), F: int(b[7])}.LBA()
		}
		s.cues = append(s.cues, p)
	}
	return nil
}

// Sizes of DAOI and DAOX: the header, and what an entry has before its offsets.
const (
	daoHeader = 22
	daoCommon = 18
)

func (s *session) readDAO(b []byte, wide bool, t *table) error {
	if len(b) < daoHeader {
		return fmt.Errorf("%w: %d bytes", ErrFormat, len(b))
	}
	if mcn := string(b[4:17]); cdsector.ValidMCN(mcn) && mcn != "0000000000000" {
		t.mcn = mcn
	}
	s.toc = disc.SessionFormat(b[18])
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
		d := daoTrack{sectorSize: int(binary.BigEndian.Uint16(b[12:])), mode: b[14]}
		if isrc := string(b[:12]); cdsector.ValidISRC(isrc) {
			d.isrc = isrc
		}
		for i, p := range []*int64{&d.pregap, &d.start, &d.end} {
			*p = readOffset(b[daoCommon+i*width:], wide)
		}
		if d.pregap < 0 || d.start < d.pregap || d.end <= d.start {
			return fmt.Errorf("%w: a track with its pregap at byte %d, its start at %d and its end at %d",
				ErrFormat, d.pregap, d.start, d.end)
		}
		s.dao = append(s.dao, d)
	}
	return nil
}

func readOffset(b []byte, wide bool) int64 {
	if wide {
		return int64(binary.BigEndian.Uint64(b))
	}
	return int64(binary.BigEndian.Uint32(b))
}

func (s *session) readTAO(b []byte, wide bool) error {
	width, size := 4, 20
	if wide {
		width, size = 8, 32
	}
	if len(b)%size != 0 || len(b)/size > 99 {
		return fmt.Errorf("%w: %d bytes are no whole number of tracks", ErrFormat, len(b))
	}
	for ; len(b) > 0; b = b[size:] {
		e := taoTrack{
			offset: readOffset(b, wide), size: readOffset(b[width:], wide),
			mode: b[2*width+3], at: disc.LBA(int32(binary.BigEndian.Uint32(b[2*width+4:]))),
		}
		if e.offset < 0 || e.size <= 0 {
			return fmt.Errorf("%w: a track of %d bytes at byte %d", ErrFormat, e.size, e.offset)
		}
		s.tao = append(s.tao, e)
	}
	return nil
}

// A coding is how the sectors of a track are stored: Nero's mode code.
type coding struct {
	mode   disc.Mode
	form   disc.Form
	stride int // bytes, with sub-channels
}

func codingOf(code byte) (coding, error) {
	switch code {
	case 0x00:
		return coding{disc.Mode1, disc.FormMode1, 2048}, nil
	case 0x02:
		return coding{disc.Mode2, disc.FormXA1, 2048}, nil
	case 0x03:
		return coding{disc.Mode2, disc.FormMode2, 2336}, nil
	case 0x05:
		return coding{disc.Mode1, disc.FormRaw, 2352}, nil
	case 0x06:
		return coding{disc.Mode2, disc.FormRaw, 2352}, nil
	case 0x07:
		return coding{disc.Audio, disc.FormRaw, 2352}, nil
	case 0x0F:
		return coding{disc.Mode1, disc.FormRaw, 2448}, nil
	case 0x10:
		return coding{disc.Audio, disc.FormRaw, 2448}, nil
	case 0x11:
		return coding{disc.Mode2, disc.FormRaw, 2448}, nil
	}
	return coding{}, fmt.Errorf("%w: unknown track mode %#02x", ErrFormat, code)
}

// points returns the cue points of a track, in the order of their indexes.
func (s *session) points(track int) []cuePoint {
	var all []cuePoint
	for _, p := range s.cues {
		if p.track == track {
			all = append(all, p)
		}
	}
	slices.SortStableFunc(all, func(a, b cuePoint) int { return a.index - b.index })
	return all
}
