package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"spindle/burn"
	"spindle/disc"
	"spindle/drive"
	"spindle/drive/byname"
	"spindle/image"
	"spindle/internal/printable"
	"spindle/iso"
	"spindle/merge"
	"spindle/rip"
	"spindle/scsi/mmc"

	"github.com/spf13/cobra"
)

func infoCommand(a *app) *cobra.Command {
	var opts rip.ExamineOptions
	var o infoFlags
	c := &cobra.Command{
		Use:   "info [DRIVE|IMAGE]",
		Short: "Show what is on a disc, or in an image",
		Example: `  spindle info
  spindle info /dev/sr1 --indexes
  spindle info backup.nrg
  spindle info rescued.iso --map rescued.svg`,
		Args: needs(0, 1, ""),
		RunE: a.run(func(ctx context.Context, args []string) (result, error) {
			name := strings.Join(args, "")
			if name != "" && !isDriveName(name) {
				return infoOfImage(ctx, a, name, o)
			}
			if o.pic != "" {
				return nil, usage("--map is about an image: it shows which of its sectors are known to be damaged")
			}
			return infoOfDrive(ctx, a, name, opts)
		}),
	}
	c.Flags().StringVar(&o.pic, "map", "", "also draw which sectors of an image are known to be damaged: into `FILE`, .svg or .png, or \"-\" on the terminal")
	c.Flags().BoolVar(&o.force, "force", false, "replace an existing file of --map")
	c.Flags().BoolVar(&opts.Indexes, "indexes", false, "also find pregaps, indexes and ISRCs; takes seconds per track")
	return c
}

// infoFlags are the options of info for images.
type infoFlags struct {
	pic   string // of the map
	force bool
}

// infoResult is the result of info.
type infoResult struct {
	ending
	Drive      string        `json:"drive,omitempty"`
	Medium     string        `json:"medium"`
	State      string        `json:"state,omitempty"`
	Sectors    int           `json:"sectors"`
	MCN        string        `json:"mcn,omitempty"`
	Protection string        `json:"protection,omitempty"`
	LayerBreak disc.LBA      `json:"layer_break,omitempty"`
	Sessions   []infoSession `json:"sessions,omitempty"`
	CDText     []infoText    `json:"cd_text,omitempty"`
	IDs        *infoIDs      `json:"disc_ids,omitempty"`
	Volume     *infoVolume   `json:"volume,omitempty"`
	Notes      []string      `json:"notes,omitempty"`
	Write      *infoWrite    `json:"write,omitempty"`
	Layers     []infoLayer   `json:"layers,omitempty"`    // of an image: what its files were looked through
	ChangedQ   string        `json:"changed_q,omitempty"` // of an image: how many sectors, and the file that says so
	Flaws      []flawRange   `json:"flaws,omitempty"`     // of an image
	Map        []mapRange    `json:"map,omitempty"`       // with --map

	image  string
	damage string
	absent int      // sectors
	cells  *discMap // to be shown
	plain  bool     // an .iso: the files of any disc
}

// infoWrite is what can be written to a recordable disc.
type infoWrite struct {
	MediaID      string    `json:"media_id,omitempty"`
	Maker        string    `json:"maker,omitempty"`
	State        string    `json:"state"`
	Free         int       `json:"free"`          // sectors
	NextWritable disc.LBA  `json:"next_writable"` // where a further session begins
	Sessions     int       `json:"sessions"`
	Open         bool      `json:"session_open,omitempty"` // the last one
	Speeds       []float64 `json:"speeds,omitempty"`       // times 1x
	Simulates    bool      `json:"simulates"`
	Cannot       string    `json:"cannot,omitempty"` // why it cannot be written
	cd           bool      // its free space is given in minutes, too
}

type infoSession struct {
	Number  int         `json:"number"`
	Format  string      `json:"format"`
	LeadOut disc.LBA    `json:"lead_out"`
	Tracks  []infoTrack `json:"tracks"`
}

type infoTrack struct {
	Number      int        `json:"number"`
	Mode        string     `json:"mode"`
	Pregap      int        `json:"pregap"`
	Start       disc.LBA   `json:"start"`
	Sectors     int        `json:"sectors"` // from start to end
	Indexes     []disc.LBA `json:"indexes,omitempty"`
	PreEmphasis bool       `json:"pre_emphasis,omitempty"`
	Copy        bool       `json:"copy_permitted,omitempty"`
	FourChannel bool       `json:"four_channel,omitempty"`
	ISRC        string     `json:"isrc,omitempty"`
}

// infoText is CD-TEXT of one language; index 0 of each list is the disc.
type infoText struct {
	Language   byte     `json:"language"`
	Title      []string `json:"title,omitempty"`
	Performer  []string `json:"performer,omitempty"`
	Songwriter []string `json:"songwriter,omitempty"`
	Composer   []string `json:"composer,omitempty"`
	Arranger   []string `json:"arranger,omitempty"`
	Message    []string `json:"message,omitempty"`
	DiscID     []string `json:"disc_id,omitempty"`
	Code       []string `json:"upc_isrc,omitempty"`
	Genre      string   `json:"genre,omitempty"`
}

type infoVolume struct {
	Label       string   `json:"label"`
	FileSystems []string `json:"file_systems"`
	Blocks      int64    `json:"blocks"`
	Boot        []string `json:"boot,omitempty"`
	Partitions  []string `json:"partitions,omitempty"` // types of those of an Apple partition map
}

func infoOfDrive(ctx context.Context, a *app, name string, opts rip.ExamineOptions) (result, error) {
	dev, err := a.open(ctx, name, byname.Shared)
	if err != nil {
		return nil, err
	}
	r := &infoResult{ending: done()}
	if q, err := dev.Inquiry(ctx); err == nil {
		r.Drive = strings.TrimSpace(q.Vendor + " " + q.Product + " " + q.Revision)
	}
	m, err := drive.Survey(ctx, dev, drive.ForReading|drive.ForWriting)
	if err != nil {
		return nil, err
	}
	d, err := rip.Examine(ctx, dev, m, opts)
	if err != nil {
		return nil, err
	}
	r.Medium = d.Profile.String()
	for _, n := range d.Notes {
		r.Notes = append(r.Notes, ripNote(n))
	}
	if c := m.Contents; c != nil {
		r.Protection = string(c.Protection)
		if c.DVD != nil && d.Profile == mmc.ProfileDVDROM && c.DVD.BookType != 0 {
			r.Medium += " (" + c.DVD.BookType.String() + ")"
		}
	}
	if d.Info != nil {
		r.State = d.Info.Status.String()
	}
	r.fill(d.Layout, d.LastVolume(ctx))
	if m.Recording != nil {
		w, err := burn.MediumOf(m)
		if err != nil {
			return nil, err
		}
		r.Write = newInfoWrite(w)
		if s := w.State(); s == burn.Overwritable || s == burn.Spoiled {
			r.State = string(s)
		}
	}
	r.showNotes(a)
	return r, nil
}

// showNotes shows the notes, which JSON has in the result.
func (e *infoResult) showNotes(a *app) {
	for _, n := range e.Notes {
		if !a.json {
			a.note(n)
		}
	}
}

func newInfoWrite(m *burn.Medium) *infoWrite {
	w := &infoWrite{MediaID: m.ID, Maker: drive.Maker(m.ID), State: string(m.State()), Free: m.Free, NextWritable: m.NextWritable, Sessions: m.Sessions, Open: m.Open, Simulates: m.Simulates}
	w.cd = m.Profile.IsCD()
	for _, s := range m.Speeds {
		w.Speeds = append(w.Speeds, m.SpeedX(s))
	}
	if err := m.Writable(); err != nil {
		w.Cannot = explain(err).what
	}
	return w
}

// text describes what can be written.
func (w *infoWrite) text(p *page) {
	if w.MediaID != "" {
		if w.Maker != "" {
			p.line("made by:    %s (%s)", w.Maker, printable.Line(w.MediaID))
		} else {
			p.line("made by:    %s", printable.Line(w.MediaID))
		}
	}
	if w.Cannot != "" {
		p.line("writing:    %s", w.Cannot)
		return
	}
	text := w.State
	if w.Free > 0 {
		text += ", " + sizeText(int64(w.Free)*iso.BlockSize) + " free"
		if w.cd {
			text += fmt.Sprintf(" (%d min of audio)", w.Free/disc.FramesPerSecond/60)
		}
	}
	switch {
	case w.State == string(burn.Appendable) && w.Open:
		text += fmt.Sprintf(", its last session is open, and continues at sector %d", w.NextWritable)
	case w.State == string(burn.Appendable):
		text += fmt.Sprintf(", the next session begins at sector %d", w.NextWritable)
	}
	if len(w.Speeds) > 0 {
		var speeds []string
		for _, s := range w.Speeds {
			speeds = append(speeds, fmt.Sprintf("%gx", s))
		}
		text += ", at " + strings.Join(speeds, " ")
	}
	p.line("writing:    %s", text)
}

func infoOfImage(ctx context.Context, a *app, path string, o infoFlags) (result, error) {
	if err := checkMap(o.pic); err != nil {
		return nil, err
	}
	img, found, err := openImage(ctx, a, path)
	if err != nil {
		return nil, err
	}
	defer img.Close()
	l := img.Layout()
	r := &infoResult{ending: done(), Medium: l.Medium.String() + " image"}
	r.fill(l, imageVolume(ctx, img))
	r.image = path
	name := path
	for _, x := range found.layers {
		r.Layers = append(r.Layers, newInfoLayer(x))
		if x.File == path {
			name = x.Inner
		}
	}
	r.ChangedQ = found.changedQ
	r.plain = strings.EqualFold(suffix(name), ".iso") && len(l.Tracks()) == 1 && l.Tracks()[0].Mode.IsData()
	r.Notes = textNotes(l)
	r.showNotes(a)
	r.Flaws = flawRanges(img.Flaws())
	if n := found.present(img.Flaws()).Sectors(); n > 0 {
		r.Status, r.damage = exitDifferent, found.damageText(n)
	}
	r.absent = found.absent.Sectors()
	r.Status = found.noteWithSub(a, r.Status)
	return r, r.drawMap(a, img, path, o)
}

// drawMap draws which sectors of an image are known to be damaged, where that is wanted.
func (e *infoResult) drawMap(a *app, img disc.Image, path string, o infoFlags) error {
	if o.pic == "" {
		return nil
	}
	origin, err := readProvenance(path, img)
	if err != nil {
		a.note(fmt.Sprintf("%s%s is not used: %v.", path, merge.Suffix, err))
	}
	m := newDiscMap(img.Layout(), img.Flaws(), origin)
	e.Map = m.ranges()
	a.note("The map shows what is recorded beside the image. Its sectors were not read: \"spindle verify\" checks them.")
	if o.pic == toTerminal {
		e.cells = m
		return nil
	}
	return m.write(o.pic, filepath.Base(path), img.Files(), o.force)
}

// textNotes says what CD-TEXT cannot say of the texts of an image.
func textNotes(l *disc.Layout) []string {
	if l.TextLost == 0 {
		return nil
	}
	return []string{fmt.Sprintf("CD-TEXT has no code for %s of the titles: each became \"?\", and a title with few others was left out.",
		plural(l.TextLost, "character"))}
}

// imageVolume reads the descriptors of the file system that a computer shows.
func imageVolume(ctx context.Context, img disc.Image) *iso.Volume {
	t := image.BestTrack(ctx, img)
	if t == nil {
		return nil
	}
	v, err := image.ReadVolume(ctx, img, t)
	if err != nil {
		return nil
	}
	return v
}

func (e *infoResult) fill(l *disc.Layout, v *iso.Volume) {
	if l == nil {
		return
	}
	e.Sectors, e.MCN, e.LayerBreak, e.IDs = l.Sectors(), l.MCN, l.LayerBreak, newInfoIDs(l)
	for i := range l.Sessions {
		s := &l.Sessions[i]
		out := infoSession{Number: s.Number, Format: s.Format.String(), LeadOut: s.LeadOut}
		for j := range s.Tracks {
			t := &s.Tracks[j]
			out.Tracks = append(out.Tracks, infoTrack{
				Number: t.Number, Mode: t.Mode.String(), Pregap: t.Pregap, Start: t.Start, Sectors: int(t.End - t.Start),
				Indexes: t.Indexes, ISRC: t.ISRC, PreEmphasis: t.Control&disc.PreEmphasis != 0,
				Copy: t.Control&disc.CopyPermitted != 0, FourChannel: t.Control&disc.FourChannel != 0,
			})
		}
		e.Sessions = append(e.Sessions, out)
	}
	for _, b := range l.Texts() {
		e.CDText = append(e.CDText, infoText{
			Language: b.Language, Title: b.Texts[disc.PackTitle], Performer: b.Texts[disc.PackPerformer],
			Songwriter: b.Texts[disc.PackSongwriter], Composer: b.Texts[disc.PackComposer], Arranger: b.Texts[disc.PackArranger],
			Message: b.Texts[disc.PackMessage], DiscID: b.Texts[disc.PackDiscID], Code: b.Texts[disc.PackCode], Genre: b.Genre,
		})
	}
	if v != nil {
		e.Volume = &infoVolume{Label: v.Label, FileSystems: v.FileSystems(), Blocks: v.Blocks(), Boot: bootNames(v), Partitions: v.Partitions}
	}
}

// bootNames says what can boot from a volume.
func bootNames(v *iso.Volume) []string {
	var names []string
	for _, b := range v.Boot {
		names = append(names, b.Platform.String()+" (El Torito)")
	}
	if v.Hybrid.MBR || v.Hybrid.GPT {
		names = append(names, "from a USB stick (isohybrid)")
	}
	return names
}

func (e *infoResult) Text(p *page) {
	if e.Drive != "" {
		p.line("drive:      %s", printable.Line(e.Drive))
	}
	medium := e.Medium
	if e.plain {
		medium = "data image"
	}
	if e.State != "" {
		medium += ", " + e.State
	}
	p.line("disc:       %s", medium)
	if len(e.Sessions) > 0 {
		p.line("size:       %s (%s)", plural(e.Sectors, "sector"), e.length())
	}
	for i := range e.Layers {
		p.line("stored:     %s", e.Layers[i].text(e.image))
	}
	if e.LayerBreak > 0 {
		p.line("layers:     2, break at sector %d", e.LayerBreak)
	}
	if e.ChangedQ != "" {
		p.line("changed Q:  %s", printable.Line(e.ChangedQ))
	}
	if e.Protection != "" {
		p.line("protected:  %s", e.Protection)
	}
	if e.Volume != nil {
		e.Volume.text(p)
	}
	if e.Write != nil {
		e.Write.text(p)
	}
	if e.MCN != "" {
		p.line("catalogue:  %s", printable.Line(e.MCN))
	}
	if len(e.CDText) > 0 {
		p.line("CD-TEXT:    %s", e.discText())
	}
	if e.IDs != nil {
		e.IDs.text(p)
	}
	if e.absent > 0 {
		p.line("absent:     %s", plural(e.absent, "sector"))
	}
	if e.damage != "" {
		p.line("damaged:    %s", p.red(e.damage))
	}
	if e.isCD() {
		e.printTracks(p.w)
	}
	if e.cells != nil {
		p.line("")
		e.cells.text(p)
	}
}

func (v *infoVolume) text(p *page) {
	p.line("volume:     %q, %s, %s", v.Label, strings.Join(v.FileSystems, " + "), plural(int(v.Blocks), "sector"))
	if len(v.Boot) > 0 {
		p.line("boots:      %s", strings.Join(v.Boot, ", "))
	}
	if len(v.Partitions) > 0 {
		p.line("partitions: %s", printable.Line(strings.Join(v.Partitions, ", ")))
	}
}

func (e *infoResult) isCD() bool { return strings.HasPrefix(e.Medium, "CD") && !e.plain }

// length is the playing time of a CD, and the size of other discs.
func (e *infoResult) length() string {
	if e.isCD() {
		return clock(e.Sectors) + " min"
	}
	return sizeText(int64(e.Sectors) * iso.BlockSize)
}

func (e *infoResult) printTracks(w io.Writer) {
	for _, s := range e.Sessions {
		fmt.Fprintf(w, "\nsession %d, %s, lead-out at sector %d\n", s.Number, s.Format, s.LeadOut)
		var table strings.Builder
		tab := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
		fmt.Fprintln(tab, "  track\tmode\tstart\tlength (m:s.f)\tpregap\tmore")
		for _, t := range s.Tracks {
			fmt.Fprintf(tab, "  %02d\t%s\t%d\t%s\t%s\t%s\n", t.Number, t.Mode, t.Start,
				clock(t.Sectors), clock(t.Pregap), e.details(&t))
		}
		tab.Flush()
		for line := range strings.Lines(table.String()) {
			fmt.Fprintln(w, printable.Line(strings.TrimRight(line, " \n")))
		}
	}
}

// of gives performer and title of a track, or of the disc with n = 0.
func (x *infoText) of(n int) string {
	var words []string
	for _, list := range [][]string{x.Performer, x.Title} {
		if n < len(list) && list[n] != "" {
			words = append(words, list[n])
		}
	}
	return strings.Join(words, " - ")
}

// discText gives performer and title of the disc, and in how many languages.
func (e *infoResult) discText() string {
	text := fmt.Sprintf("%q", e.CDText[0].of(0))
	if n := len(e.CDText); n > 1 {
		text += fmt.Sprintf(", in %d languages", n)
	}
	return text
}

// details lists what not every track has.
func (e *infoResult) details(t *infoTrack) string {
	var more []string
	if len(e.CDText) > 0 && e.CDText[0].of(t.Number) != "" {
		more = append(more, fmt.Sprintf("%q", e.CDText[0].of(t.Number)))
	}
	if t.ISRC != "" {
		more = append(more, "ISRC "+t.ISRC)
	}
	if len(t.Indexes) > 0 {
		more = append(more, plural(len(t.Indexes)+1, "index mark"))
	}
	if t.PreEmphasis {
		more = append(more, "pre-emphasis")
	}
	if t.Copy {
		more = append(more, "copy permitted")
	}
	if t.FourChannel {
		more = append(more, "four channels")
	}
	return strings.Join(more, ", ")
}
