package album

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spindle/check"
	"spindle/cue"
	"spindle/disc"
	"spindle/disc/accuraterip"
	"spindle/disc/cdsector"
	"spindle/disc/discid"
	"spindle/image/audio"
	"spindle/image/audio/flacenc"
	"spindle/image/audio/loudness"
	"spindle/image/format"
	"spindle/image/riplog"
)

// ErrNoAudio means that a disc has no songs.
var ErrNoAudio = errors.New("the disc has no audio tracks")

// Coding is how sound is written.
type Coding uint8

// The codings.
const (
	FLAC Coding = iota
	Wave
)

func (c Coding) suffix() string {
	if c == Wave {
		return ".wav"
	}
	return ".flac"
}

// Options say how to write an album.
type Options struct {
	Coding Coding
	// OneFile makes a single sound file of all songs, with a sheet beside it.
	OneFile bool
	// EmbedSheet puts the sheet into the single FLAC file, too: as the block of RFC 9639,
	// and as the comment CUESHEET.
	EmbedSheet bool
	// Only are the numbers of the songs to take; nil: all, and the tracks of data. Kept are files
	// of the folder that an earlier run made: they stay as they are, and stand in the sheet.
	Only []int
	Kept []riplog.Song
	// Databases are what is known of the disc from other people.
	Databases Databases
	Force     bool          // replace existing files
	Doubts    func() string // as of [format.Options]
	Naming    func([]format.Pending) error
	Progress  func(done, total int64) // bytes of sectors
}

// Created is what was made.
type Created struct {
	Files []string // paths
	Sheet string   // that of the sheet, or ""
	Songs []Made   // in the order of the disc
	Data  []MadeData
	Flaws disc.Flaws
	Maps  []string // the paths of the maps that list them
	Bytes int64    // of sectors
	// Regained are the numbers of songs of earlier runs that got the gain of the album, all of which is here now.
	Regained []int
	// Gains says why songs did not get the gain of the album, though all songs are here.
	Gains []*GainError
}

// Made is a song that was written.
type Made struct {
	Number int
	Path   string
	Title  string
	First  disc.LBA // the sectors [First, End)
	End    disc.LBA
	CRC32  uint32           // of all its samples
	Peak   int              // its loudest sample, of 32768
	Sums   accuraterip.Sums // of what the databases take for the track; zeros for number 0
	Proof  Proof            // what Options.Databases say
	Proven Run              // the sectors that they prove
	Flawed int              // sectors that are not right
}

// MadeData is a track of data that was written.
type MadeData struct {
	Number int
	Path   string
	First  disc.LBA // the sectors [First, End)
	End    disc.LBA
	CRC32  uint32 // of the file
	Flawed int    // sectors that are not right
}

// Create writes the album of an image into a folder, which has to be there.
//
// All files are written under temporary names, and renamed when all are whole. Errors
// wrap ErrNoAudio, those of package format, or those of reading and writing.
func Create(ctx context.Context, dir string, a *Album, img disc.Image, o Options) (*Created, error) {
	w := &writer{album: a, dir: dir, Options: o, base: a.base()}
	if err := w.plan(); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, FileName(w.base, ".cue"))
	staged := &stagedSheet{}
	if _, w.texts = a.sheet(w.parts, path); w.isPart() {
		if err := w.sheetInTheWay(); err != nil {
			return nil, err
		}
		var err error
		staged, err = w.stageSheet()
		defer staged.discard()
		if err != nil {
			return nil, err
		}
	}
	res, err := format.Create(ctx, format.Format{Create: w.create}, path, img, format.Options{
		Force: o.Force, Lossy: true, MapEach: true, Doubts: o.Doubts, Naming: staged.naming(o.Naming), Progress: o.Progress,
	})
	if err != nil {
		return nil, err
	}
	out := &Created{Files: res.Files, Sheet: path, Flaws: res.Flaws, Maps: res.Maps, Bytes: res.Whole.Size}
	if err := staged.commit(out); err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx) // the album is there: what is left to do to it, and what proves it, are done also if ctx ends now
	out.Regained, out.Gains = w.regain(ctx)
	out.Gains = append(w.gainErrs, out.Gains...)
	if err := w.judge(ctx, out); err != nil {
		return nil, err
	}
	return out, nil
}

// Files returns the names of the files that an album has with these options, the log
// included. Errors are those of Create.
func (a *Album) Files(o Options) ([]string, error) {
	w := &writer{album: a, Options: o, base: a.base()}
	if err := w.plan(); err != nil {
		return nil, err
	}
	var names []string
	for _, p := range w.parts {
		if p.isMade() {
			names = append(names, p.name)
		}
	}
	return append(names, a.SheetName(), a.LogName()), nil
}

// SheetName is what the sheet of the album is called.
func (a *Album) SheetName() string { return FileName(a.base(), ".cue") }

// LogName is what the log of the album is called.
func (a *Album) LogName() string { return FileName(a.base(), ".log") }

// base is what files of the whole album are called, without their suffix.
func (a *Album) base() string { return cmp.Or(a.Name(""), a.Unnamed()) }

// A writer writes one album.
type writer struct {
	Options
	album *Album
	dir   string
	base  string
	parts []part
	texts []cue.TextFile // the sheet, and what goes with it
	proof *check.Proof
	crcs  [100]uint32      // of the songs
	peaks [100]int         // their loudest samples
	whole *loudness.Result // how loud the album is; nil: some of its songs are not here

	keptLoud map[int]loudness.Result // how loud the songs of Kept are, if whole is known
	gainErrs []*GainError
}

// plan decides which files there will be.
func (w *writer) plan() error {
	for i := range w.album.Songs {
		s := &w.album.Songs[i]
		if w.Only != nil && !slices.Contains(w.Only, s.Number) || w.keeps(s.Number, false) {
			continue
		}
		p := part{name: s.fileName(w.Coding.suffix()), kind: cue.Wave, from: s.Start, to: s.End, songs: []*Song{s}}
		if n := len(w.parts); w.OneFile && n > 0 && w.parts[n-1].to == s.Start {
			w.parts[n-1].songs, w.parts[n-1].to = append(w.parts[n-1].songs, s), s.End
			continue
		}
		w.parts = append(w.parts, p)
	}
	if w.OneFile {
		w.nameOne()
	}
	for _, n := range w.Only {
		if !slices.ContainsFunc(w.album.Songs, func(s Song) bool { return s.Number == n }) {
			return fmt.Errorf("%w: %d", format.ErrNoTrack, n)
		}
	}
	if len(w.parts)+len(w.Kept) == 0 {
		return ErrNoAudio
	}
	for _, t := range w.album.Layout.Tracks() {
		if t.Mode.IsData() && w.Only == nil && !w.keeps(t.Number, true) {
			w.parts = append(w.parts, dataPart(t))
		}
	}
	w.planKept()
	w.planAbsent()
	w.sortParts()
	return nil
}

// nameOne names the files of all songs, of which there is one but where data stand between
// songs.
func (w *writer) nameOne() {
	for i := range w.parts {
		name := w.base
		if len(w.parts) > 1 {
			name += fmt.Sprintf(" (part %d)", i+1)
		}
		w.parts[i].name = FileName(name, w.Coding.suffix())
	}
}

// dataPart is the file of a data track: an ISO, which other programs can read, if one
// can hold all of the track.
func dataPart(t *disc.Track) part {
	name := fmt.Sprintf("%02d - Data", t.Number)
	p := part{name: name + ".bin", kind: cue.Binary, from: t.Begin(), to: t.End, track: t}
	if t.Mode == disc.Mode1 && t.Pregap == 0 {
		p.name, p.block = name+".iso", true
	}
	return p
}

// create writes the files.
func (w *writer) create(o *format.Output) error {
	var bytes int64
	var names []string
	w.parts = slices.DeleteFunc(w.parts, func(p part) bool { return !p.isMade() })
	for _, p := range w.parts {
		bytes += int64(p.to-p.from) * cdsector.Size
		names = append(names, filepath.Join(w.dir, p.name))
	}
	texts := w.texts
	if w.isPart() {
		texts = nil // another run replaces it
	}
	for _, x := range texts {
		names = append(names, x.Path)
	}
	if err := o.Reserve(bytes, names...); err != nil {
		return err
	}
	w.proof = check.NewProof(w.album.Layout)
	for i := range w.parts {
		if err := w.write(o, names[i], &w.parts[i]); err != nil {
			return err
		}
	}
	if err := w.addGains(o, names); err != nil {
		return err
	}
	for _, x := range texts {
		if err := o.WriteBytes(x.Path, x.Data); err != nil {
			return err
		}
	}
	return nil
}

// write makes one file.
func (w *writer) write(o *format.Output, path string, p *part) error {
	switch {
	case p.block:
		return o.Write(path, func(f *os.File) error { return w.data(o, f, p, format.UserData) })
	case p.track != nil:
		return o.Write(path, func(f *os.File) error { return w.data(o, f, p, format.Whole) })
	}
	return o.Write(path, func(f *os.File) error {
		sink, end, err := w.encoder(o.Context(), f, p)
		if err != nil {
			return err
		}
		loud := loudness.New(sampleRate)
		defer func() { p.loudness = loud.Result() }()
		at := p.from
		for _, s := range p.songs {
			if err = o.CopyTo(s.Track, s.Start, s.End, func(b []byte) (int, error) {
				if err := w.proof.Take(at, b); err != nil {
					return 0, err
				}
				loud.Write(b)
				w.crcs[s.Number] = crc32.Update(w.crcs[s.Number], crc32.IEEETable, b)
				w.peaks[s.Number] = max(w.peaks[s.Number], peak(b))
				at += disc.LBA(len(b) / cdsector.Size)
				return sink.Write(b)
			}); err != nil {
				break
			}
		}
		return errors.Join(err, end())
	})
}

// peak returns the loudest of some samples.
func peak(b []byte) int {
	low, high := 0, 0
	for i := 0; i+1 < len(b); i += 2 {
		x := int(int16(binary.LittleEndian.Uint16(b[i:])))
		low, high = min(low, x), max(high, x)
	}
	return max(high, -low)
}

// data writes a track of data, and reads it again for its checksum.
func (w *writer) data(o *format.Output, f *os.File, p *part, form format.Stored) error {
	if err := o.Copy(f, p.track, p.from, p.to, form); err != nil {
		return err
	}
	sum := crc32.NewIEEE()
	_, err := io.Copy(sum, io.NewSectionReader(f, 0, int64(p.to-p.from)*cdsector.Size))
	p.crc = sum.Sum32()
	return err
}

// encoder returns where the samples of a file go, and what ends it.
func (w *writer) encoder(ctx context.Context, f *os.File, p *part) (io.Writer, func() error, error) {
	sectors := int64(p.to - p.from)
	if w.Coding == Wave {
		_, err := f.Write(audio.WaveHeader(uint32(sectors * cdsector.Size)))
		return f, func() error { return nil }, err
	}
	o := flacenc.Options{Samples: sectors * discid.SectorSamples, Padding: padding}
	if w.EmbedSheet {
		_, o.CueSheet = w.album.embedded(p)
	}
	o.Comments = w.comments(p).pairs()
	e, err := flacenc.NewEncoder(ctx, f, o)
	if err != nil {
		return nil, nil, err
	}
	return e, e.Close, nil
}

// comments are the tags of a file.
func (w *writer) comments(p *part) Tags {
	if !w.OneFile {
		return w.album.comments(p.songs[0])
	}
	tags := slices.Clone(w.album.Tags)
	if w.EmbedSheet {
		text, _ := w.album.embedded(p)
		tags.Set("CUESHEET", text)
	}
	return tags
}

// addGains adds what brings the songs, and the album, to the loudness that players want.
func (w *writer) addGains(o *format.Output, names []string) error {
	var all []loudness.Result
	for i := range w.parts {
		if w.parts[i].track == nil {
			all = append(all, w.parts[i].loudness)
		}
	}
	var err error
	if w.whole, err = w.wholeLoudness(o.Context(), all); err != nil {
		return err
	}
	for i := range w.parts {
		p := &w.parts[i]
		if p.track != nil {
			continue
		}
		tags := slices.DeleteFunc(w.comments(p), func(t Tag) bool { return strings.HasPrefix(strings.ToUpper(t.Name), "REPLAYGAIN_") })
		tags = append(tags, gains(&p.loudness, w.whole)...)
		if err := o.Amend(names[i], func(f *os.File) error { return w.retag(f, tags) }); err != nil {
			return err
		}
	}
	return nil
}

// retag gives a file its tags.
func (w *writer) retag(f *os.File, tags Tags) error {
	if w.Coding == Wave {
		return audio.AppendWaveTags(f, tags.pairs())
	}
	return flacenc.Retag(f, tags.pairs())
}

// gains are the tags of ReplayGain 2, for a song and its album, if that is known. Silence
// has none.
func gains(song, whole *loudness.Result) Tags {
	var tags Tags
	for _, x := range []struct {
		of string
		r  *loudness.Result
	}{{"TRACK", song}, {"ALBUM", whole}} {
		if x.r == nil {
			continue
		}
		if gain, ok := x.r.Gain(); ok {
			tags.Set("REPLAYGAIN_"+x.of+"_GAIN", fmt.Sprintf("%.2f dB", gain))
			tags.Set("REPLAYGAIN_"+x.of+"_PEAK", fmt.Sprintf("%.6f", x.r.Peak))
		}
	}
	if len(tags) > 0 {
		tags.Set("REPLAYGAIN_REFERENCE_LOUDNESS", fmt.Sprintf("%.2f LUFS", float64(loudness.Reference)))
	}
	return tags
}

// sampleRate is that of a CD, in samples of each channel a second.
const sampleRate = 44100

// padding is what a FLAC file keeps free for what its tags get later, in bytes: what the
// programs of the format's makers leave.
const padding = 8192

// judge states of each song what its samples proved.
func (w *writer) judge(ctx context.Context, out *Created) error {
	finish(w.proof)
	sums := w.proof.AccurateRip.Sums()
	proofs, err := w.Databases.judge(ctx, w.album.Layout, w.proof)
	if err != nil {
		return err
	}
	for i := range w.parts {
		p := &w.parts[i]
		if p.track != nil {
			d := MadeData{Number: p.track.Number, Path: filepath.Join(w.dir, p.name), First: p.from, End: p.to, CRC32: p.crc}
			for _, f := range out.Flaws.Clip(p.from, p.to) {
				d.Flawed += f.Count
			}
			out.Data = append(out.Data, d)
		}
		for _, s := range p.songs {
			m := Made{Number: s.Number, Path: filepath.Join(w.dir, p.name), Title: s.Tags.Get("TITLE"), First: s.Start, End: s.End, CRC32: w.crcs[s.Number], Peak: w.peaks[s.Number]}
			for _, f := range out.Flaws.Clip(s.Start, s.End) {
				m.Flawed += f.Count
			}
			m.Proof.Silent = m.Peak == 0
			if k := slices.IndexFunc(w.proof.Spans, func(x discid.Span) bool { return x.Track == m.Number }); k >= 0 {
				m.Sums, m.Proof = sums[k], proofs[k]
				m.Proven = proven(k, &m.Proof, w.proof)
			}
			out.Songs = append(out.Songs, m)
		}
	}
	return nil
}
