// Package folder plans what becomes of an album in a folder where an earlier run may have left songs of it:
// [Open] finds out which of them stay, and which songs a run makes. Songs of two discs are not joined: what
// stays is compared with the disc, by the caller with what [Plan.Held] describes, or by [Plan.Compare].
//
// The log of the album says what is in the folder, and what its files have to be. A sheet or log
// that somebody changed proves nothing, and is not replaced unasked.
package folder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spindle/album"
	"spindle/disc"
	"spindle/disc/discid"
	"spindle/image/mapfile"
	"spindle/image/riplog"
	"spindle/internal/regular"
)

// Errors about what is in a folder.
var (
	// ErrOtherLog means that the log is that of another disc.
	ErrOtherLog = errors.New("is the log of another disc")
	// ErrOtherNames means that songs of this disc are there under another name of the album.
	ErrOtherNames = errors.New("has songs of this disc under another name")
	// ErrComplete means that the whole album is there.
	ErrComplete = errors.New("has the whole album already, as its log says")
	// ErrChanged means that a file of the album was changed since it was made.
	ErrChanged = errors.New("is not what its log says it was")
	// ErrNotRight means that a song is there, and not right.
	ErrNotRight = errors.New("is not right, as its log says")
	// ErrOneFile means that all songs are in one file, to which none are added.
	ErrOneFile = errors.New("the songs are in one file")
	// ErrOtherDisc means that the songs are of another disc.
	ErrOtherDisc = errors.New("the songs are of another disc")
	// ErrNothingSame means that no song that stays can be compared.
	ErrNothingSame = errors.New("no song can be compared")
)

// A Request is what is wanted of an album.
type Request struct {
	Songs []int // the numbers of songs, in order; nil: all, and the tracks of data
	Force bool  // make what is asked for, also if it is there
	// Resumes says that a reading of the whole disc is resumed: the songs that are not right are made with all others, which it
	// may prove.
	Resumes bool
	// Prove says that songs which a rip read once, and nothing proves, are made again ([Plan.Again]).
	Prove bool
}

// asks reports whether the file of a song, or of a track of data, is asked for.
func (r *Request) asks(s *riplog.Song) bool {
	return r.Songs == nil || !s.Data && slices.Contains(r.Songs, s.Number)
}

// A Plan says which songs of an album stay in its folder, and which are made.
type Plan struct {
	Request
	Dir   string
	Kept  []riplog.Song // the files that stay
	There int           // how many of them were asked for: they are not made again
	Wrong []Wrong       // those of Kept that are not right, or not as their log says
	Again []riplog.Song // songs that are there, were read once, and are made again
	// Own are the paths of files that the run replaces or removes: the log, the sheet and its map, if log and sheet are as they
	// were made.
	Own []string
	// Unsealed is the path of a sheet in Own of which the log has no checksum, as of early versions:
	// it states what would be written now. Otherwise it is "".
	Unsealed string

	whole bool
	makes []int         // the numbers of songs
	same  []riplog.Song // those of Kept that are as their log says
	codes *disc.Layout  // with the ISRCs that the sheet states
	log   *riplog.Log   // of what is there; nil: nothing
	songs []riplog.Song // that it states
}

// Open looks at what an earlier run left in a folder, which need not be there, and decides. Errors wrap those of this
// package or of reading; where they are about an album, it is not to be joined with this one.
func Open(ctx context.Context, dir string, a *album.Album, r Request) (*Plan, error) {
	p := &Plan{Request: r, Dir: dir}
	if err := p.open(a); err != nil {
		return nil, err
	}
	if r.Songs == nil && !p.lacks(a) {
		p.whole, p.Own, p.Unsealed = true, nil, ""
		return p, nil
	}
	if err := p.keep(ctx); err != nil {
		return nil, err
	}
	if p.joins() {
		if err := p.sameCodes(a.Layout); err != nil {
			return nil, err
		}
	}
	p.whole = len(p.Kept) == 0 && r.Songs == nil
	for i := range a.Songs {
		n := a.Songs[i].Number
		if (r.Songs == nil || slices.Contains(r.Songs, n)) && !p.keeps(n, false) {
			p.makes = append(p.makes, n)
		}
	}
	return p, nil
}

// open reads the log of the album, where there is one of this disc. Another file of its name is in the way.
func (p *Plan) open(a *album.Album) error {
	path := filepath.Join(p.Dir, a.LogName())
	text, err := readSmall(path)
	if errors.Is(err, fs.ErrNotExist) {
		return p.otherNames(a)
	}
	if err != nil {
		return err
	}
	l, err := riplog.Parse(text)
	if err != nil {
		return nil //nolint:nilerr // it proves nothing of the songs, and is not replaced unasked
	}
	if !isOf(l, a) {
		return fmt.Errorf("%s %w", path, ErrOtherLog)
	}
	p.log, p.Own = l, []string{path}
	if p.songs, err = l.Songs(); err != nil {
		p.songs = nil // as for a log that was changed
	}
	p.codes = codesOf(a.Layout, p.openSheet(a))
	return nil
}

// idLine is where a log states the disc.
const idLine = "CTDB disc id"

// isOf reports whether a log is that of the disc of an album.
func isOf(l *riplog.Log, a *album.Album) bool {
	ids, err := discid.Of(a.Layout)
	return err == nil && l.Sections[0].Get(idLine) == ids.CTDB
}

// otherNames refuses to put a second album into a folder that has the log of one.
func (p *Plan) otherNames(a *album.Album) error {
	logs, err := filepath.Glob(filepath.Join(escaped.Replace(p.Dir), "*.log"))
	if err != nil || p.Force {
		return err
	}
	for _, path := range logs {
		text, err := readSmall(path)
		if err != nil {
			continue // it is in nobody's way
		}
		l, err := riplog.Parse(text)
		switch {
		case err != nil || l.Sections[0].Get(idLine) == "":
		case isOf(l, a):
			return &NamesError{Log: path}
		default:
			return fmt.Errorf("%s %w", path, ErrOtherLog)
		}
	}
	return nil
}

// escaped makes a path a pattern of [filepath.Glob] that matches it alone.
var escaped = strings.NewReplacer("*", `\*`, "?", `\?`, "[", `\[`)

// A NamesError is the [ErrOtherNames] of a folder.
type NamesError struct {
	Log string // the path of the log that is there
}

func (e *NamesError) Error() string { return fmt.Sprintf("%s %v", filepath.Dir(e.Log), ErrOtherNames) }
func (e *NamesError) Unwrap() error { return ErrOtherNames }

// openSheet returns the text of the sheet, where it is as it was made, or nil.
func (p *Plan) openSheet(a *album.Album) []byte {
	path := filepath.Join(p.Dir, a.SheetName())
	b, err := readSmall(path)
	sum := p.log.Sections[0].Get(riplog.SheetLine)
	switch {
	case err != nil, sum != "" && sum != sheetSum(b), sum == "" && !p.states(b, a):
		return nil
	case sum == "":
		p.Unsealed = path
	}
	if p.Own = append(p.Own, path); exists(path + mapfile.Suffix) {
		p.Own = append(p.Own, path+mapfile.Suffix) // which is about what the sheet was of
	}
	return b
}

// sheetSum is how a log states the checksum of the sheet.
func sheetSum(sheet []byte) string { return fmt.Sprintf("%08X", crc32.ChecksumIEEE(sheet)) }

// lacks reports whether some of the songs and tracks of data of a disc are in the folder, and others are not there, or not
// right.
func (p *Plan) lacks(a *album.Album) bool {
	here, right := 0, 0
	for _, s := range p.songs {
		if exists(filepath.Join(p.Dir, s.File)) {
			if here++; (p.Resumes || len(s.Flaws) == 0) && (!p.Prove || !once(&s)) {
				right++
			}
		}
		if p.shares(s) {
			return p.log.Sections[0].Get(riplog.AbsentLine) != "" // it is made again whole
		}
	}
	all := len(a.Songs)
	for _, t := range a.Layout.Tracks() {
		if t.Mode.IsData() {
			all++
		}
	}
	return here > 0 && right < all
}

// shares reports whether the file of a song has others, too.
func (p *Plan) shares(s riplog.Song) bool {
	first, end := riplog.Holds(p.songs, s.File)
	return first != s.First || end != s.End
}

// keep decides which of the files that the log states stay: those that are not asked for, and those that
// need not be made again.
func (p *Plan) keep(ctx context.Context) error {
	for _, s := range p.songs {
		if p.shares(s) {
			return fmt.Errorf("%s: %w", p.Dir, ErrOneFile)
		}
		found, err := album.VerifySong(ctx, p.Dir, s, p.songs)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		same, asked := err == nil && found == album.Same, p.asks(&s)
		if found == album.Missing {
			continue
		}
		if asked && (p.Force || !same || !p.suffices(&s)) {
			if same {
				p.again(&s)
			}
			continue
		}
		p.Kept = append(p.Kept, s)
		if asked {
			p.There++
		}
		if same {
			p.same = append(p.same, s)
		}
		if !same || len(s.Flaws) > 0 {
			p.Wrong = append(p.Wrong, Wrong{s, found, err})
		}
	}
	return nil
}

// suffices reports whether a song that is as its log says need not be made again: it is right, and proven
// if it was asked for by its number, or as well as this run would read it.
func (p *Plan) suffices(s *riplog.Song) bool {
	switch {
	case len(s.Flaws) > 0:
		return false
	case once(s):
		return !p.Prove
	}
	return p.Songs == nil || s.Proof.Proven()
}

// keeps reports whether the file of a song, or of a track of data, stays.
func (p *Plan) keeps(number int, data bool) bool {
	return slices.ContainsFunc(p.Kept, func(s riplog.Song) bool { return s.Number == number && s.Data == data })
}

// Whole reports whether the album is made as if nothing of it were there.
func (p *Plan) Whole() bool { return p.whole }

// Done reports whether all songs that are asked for are there.
func (p *Plan) Done() bool { return p.Songs != nil && len(p.makes) == 0 }

// joins reports whether what is made joins what is there, or takes its place, and has to be of the same disc.
func (p *Plan) joins() bool { return len(p.Kept)+len(p.Again) > 0 }

// Makes reports whether a song is made.
func (p *Plan) Makes(number int) bool { return p.whole || slices.Contains(p.makes, number) }

// Options says in the options of an album what is made, and what stays.
func (p *Plan) Options(o *album.Options) {
	if o.Kept = p.Kept; p.Songs != nil {
		o.Only = append([]int{}, p.makes...)
	}
}

// Sectors are those of the songs and the tracks of data that are made.
func (p *Plan) Sectors(a *album.Album) []album.Run {
	var all []album.Run
	for i := range a.Songs {
		if s := &a.Songs[i]; p.Makes(s.Number) {
			all = append(all, album.Run{First: s.Start, End: s.End})
		}
	}
	for _, t := range a.Layout.Tracks() {
		if t.Mode.IsData() && p.Songs == nil && !p.keeps(t.Number, true) {
			all = append(all, album.Run{First: t.Begin(), End: t.End})
		}
	}
	return all
}

// Files are the paths of those that stay, with their maps. flawed says that not all of them are right.
func (p *Plan) Files() (all []string, flawed bool) {
	for i := range p.Kept {
		s := &p.Kept[i]
		all = append(all, p.paths(s)...)
		flawed = flawed || len(s.Flaws) > 0
	}
	return all, flawed
}

// Left returns the names of the files of songs and data that the log of before states and that are still there, but for those that stay in the album and
// those that were made.
func (p *Plan) Left(made []string) (names []string) {
	stay, _ := p.Files()
	for _, s := range p.songs {
		path := filepath.Join(p.Dir, s.File)
		if !slices.Contains(names, s.File) && !slices.Contains(made, path) && !slices.Contains(stay, path) && exists(path) {
			names = append(names, s.File)
		}
	}
	return names
}

// paths are those of the file of a song, and of its map.
func (p *Plan) paths(s *riplog.Song) []string {
	path := filepath.Join(p.Dir, s.File)
	if exists(path + mapfile.Suffix) {
		return []string{path, path + mapfile.Suffix}
	}
	return []string{path}
}

// Names reports whether the folder has a log of an album, which names a file where that is a song.
func (p *Plan) Names(path string) bool {
	if p.log == nil {
		return false
	}
	if ext := filepath.Ext(path); ext != ".flac" && ext != ".wav" {
		return true
	}
	return slices.ContainsFunc(p.songs, func(s riplog.Song) bool { return filepath.Join(p.Dir, s.File) == path })
}

// InTheWay says why a file that a run does not replace is there: the error wraps [ErrComplete] or [ErrChanged]. It is nil where
// nothing is known of it.
func (p *Plan) InTheWay(ctx context.Context, path string) error {
	if p.log == nil {
		return nil
	}
	if sum := p.log.Sections[0].Get(riplog.SheetLine); sum != "" && strings.HasSuffix(path, ".cue") {
		b, err := readSmall(path)
		if err != nil {
			return err // what it says is not known
		}
		if sheetSum(b) != sum {
			return fmt.Errorf("%s %w", path, ErrChanged)
		}
	}
	there := 0
	var notRight *NotRightError
	for _, s := range p.songs {
		found, err := album.VerifySong(ctx, p.Dir, s, p.songs)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if found != album.Missing {
			there++
		}
		song := filepath.Join(p.Dir, s.File)
		if found != album.Missing && (err != nil || found != album.Same) {
			return fmt.Errorf("%s %w", song, ErrChanged)
		}
		if found != album.Missing && len(s.Flaws) > 0 {
			notRight = cmp.Or(notRight, &NotRightError{song, s.Number})
		}
	}
	if notRight != nil {
		return notRight
	}
	if p.whole && there > 0 && there == len(p.songs) {
		return fmt.Errorf("%s %w", p.Dir, ErrComplete)
	}
	return nil
}

// A NotRightError is the [ErrNotRight] of a song: another reading might be worse.
type NotRightError struct {
	Path   string
	Number int // of the track
}

func (e *NotRightError) Error() string { return fmt.Sprintf("%s %v", e.Path, ErrNotRight) }
func (e *NotRightError) Unwrap() error { return ErrNotRight }

// Numbers returns the numbers of the songs that are in the folder when the run is over, and of those that are not.
func (p *Plan) Numbers(a *album.Album) (here, absent []int) {
	for i := range a.Songs {
		n := a.Songs[i].Number
		if p.Makes(n) || p.keeps(n, false) {
			here = append(here, n)
		} else {
			absent = append(absent, n)
		}
	}
	return here, absent
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil || !errors.Is(err, fs.ErrNotExist)
}

// readSmall reads a log or a sheet.
func readSmall(path string) ([]byte, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, riplog.MaxSize+1))
	if err == nil && len(b) > riplog.MaxSize {
		err = fmt.Errorf("%s is larger than %d bytes", path, riplog.MaxSize)
	}
	return b, err
}
