package journal

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"regexp"
	"time"

	"spindle/burn"
	"spindle/disc"
	"spindle/scsi/mmc"
)

// The types of version 2, as they stand in the file. Sizes are in bytes unless they
// say otherwise, addresses and counts in sectors.
type (
	line2 struct {
		Version  int        `json:"version,omitempty"` // of the first line
		Time     time.Time  `json:"time"`
		Event    string     `json:"event"` // begin, reached, failed, verified, done
		Begin    *begin2    `json:"begin,omitempty"`
		At       *position2 `json:"at,omitempty"`
		Failure  *failure2  `json:"failure,omitempty"`
		Verified *verified2 `json:"verified,omitempty"`
	}

	begin2 struct {
		Image    image2   `json:"image"`
		Options  options2 `json:"options"`
		Device   string   `json:"device"`
		Drive    string   `json:"drive"`
		Medium   string   `json:"medium"` // its profile, in words
		MediumID string   `json:"medium_id,omitempty"`
		Plan     *plan2   `json:"plan"`
		Verify   bool     `json:"verify"`
		Retry    string   `json:"retry,omitempty"`
		Damaged  int      `json:"damaged_sectors,omitempty"`
	}

	image2 struct {
		Path  string  `json:"path"`
		Files []file2 `json:"files,omitempty"`
	}

	file2 struct {
		Name     string    `json:"name"` // relative to the folder of the image
		Size     int64     `json:"size"`
		Modified time.Time `json:"modified"`
		SHA256   string    `json:"sha256,omitempty"`
	}

	options2 struct {
		Mode     string  `json:"mode,omitempty"`
		Speed    float64 `json:"speed,omitempty"` // times 1x
		Multi    bool    `json:"multi,omitempty"`
		Simulate bool    `json:"simulate,omitempty"`
		Blank    bool    `json:"blank,omitempty"`
		Full     bool    `json:"full,omitempty"`
		Spare    string  `json:"spare,omitempty"`
		Overburn bool    `json:"overburn,omitempty"`
		AnyPlace bool    `json:"any_place,omitempty"`
		Stream   bool    `json:"streaming,omitempty"`
	}

	plan2 struct {
		Profile  uint16            `json:"profile"` // its number in MMC
		Mode     string            `json:"mode"`
		Speed    int               `json:"speed"` // kB/s
		Start    int               `json:"start"`
		Simulate bool              `json:"simulate,omitempty"`
		Final    bool              `json:"final,omitempty"`
		Seconds  float64           `json:"seconds"` // expected
		Content  []region2         `json:"content"`
		Steps    []json.RawMessage `json:"steps"`
	}

	region2 struct {
		LBA    int    `json:"lba"`
		Source int    `json:"source"`
		Count  int    `json:"count"`
		Form   string `json:"form"`
	}

	position2 struct {
		Step int    `json:"step"`
		LBA  int    `json:"lba"`
		Sent *sent2 `json:"sent,omitempty"`
	}

	// sent2 covers what the drive took of the image.
	sent2 struct {
		Bytes  int64  `json:"bytes"`
		SHA256 string `json:"sha256"`
	}

	failure2 struct {
		Reason string `json:"reason"`
		Error  string `json:"error,omitempty"`
		Sense  string `json:"sense,omitempty"`
		State  string `json:"state,omitempty"`
	}

	verified2 struct {
		Sectors    int      `json:"sectors"`
		Different  []range2 `json:"different,omitempty"`
		Unreadable []range2 `json:"unreadable,omitempty"`
	}

	range2 struct {
		First int `json:"first"`
		Count int `json:"count"`
	}
)

// The values of words.
var (
	modes = []burn.Mode{burn.Auto, burn.SessionAtOnce, burn.TrackAtOnce, burn.Raw96, burn.DiscAtOnce, burn.Incremental,
		burn.Sequential, burn.Overwrite}
	spares  = []burn.Spare{"", burn.SpareNone, burn.SpareMinimum, burn.SpareDefault}
	states  = []burn.DiscState{"", burn.Untouched, burn.StillBlank, burn.Appendable, burn.Overwritable, burn.Complete, burn.Spoiled, burn.Unknown}
	reasons = []Reason{Stopped, Interrupted, Different, Unverified}
)

// formNames are the names of the forms in which sectors are sent.
var formNames = []struct {
	form burn.Form
	name string
}{
	{burn.FormBlock, "block"},
	{burn.FormAudio, "audio"},
	{burn.FormMode2, "mode2"},
	{burn.FormRaw96, "raw96"},
	{burn.FormText, "text"},
}

func formName(f burn.Form) string {
	for _, n := range formNames {
		if n.form == f {
			return n.name
		}
	}
	return ""
}

func formOf(name string) (burn.Form, error) {
	for _, n := range formNames {
		if n.name == name {
			return n.form, nil
		}
	}
	return 0, wrong("form", name)
}

// word checks a value that is one of several words.
func word[T ~string](field, s string, values []T) (T, error) {
	for _, v := range values {
		if string(v) == s {
			return v, nil
		}
	}
	return "", wrong(field, s)
}

// address checks an address on a disc. That of a lead-in is negative.
func address(field string, n int) (disc.LBA, error) {
	if n < -disc.MaxLBA || n > disc.MaxLBA {
		return 0, wrong(field, n)
	}
	return disc.LBA(n), nil
}

// count checks a number of sectors.
func count(field string, n int) (int, error) {
	if n < 0 || n > 2*disc.MaxLBA {
		return 0, wrong(field, n)
	}
	return n, nil
}

// version2 reads the lines of version 2.
type version2 struct{}

func (version2) line(j *Journal, raw []byte, first bool) error {
	var l line2
	if err := strict(raw, &l); err != nil {
		return err
	}
	if first != (l.Event == "begin") || first != (l.Version == Version) {
		return wrong("event", l.Event)
	}
	j.Time = l.Time
	switch l.Event {
	case "begin":
		if l.Begin == nil {
			return missing("begin")
		}
		return l.Begin.to(&j.Begin)
	case "reached":
		return l.At.to(&j.At)
	case "failed":
		if l.Failure == nil {
			return missing("failure")
		}
		if err := l.Failure.to(&j.Failure); err != nil {
			return err
		}
		return l.At.to(&j.At)
	case "verified":
		if l.Verified == nil {
			return missing("verified")
		}
	case "done":
		j.Done = true
	default:
		return wrong("event", l.Event)
	}
	return nil
}

func (b *begin2) to(out *Begin) error {
	if b.Plan == nil {
		return missing("plan")
	}
	*out = Begin{Device: b.Device, Drive: b.Drive, Profile: b.Medium, MediumID: b.MediumID, Verify: b.Verify, Retry: b.Retry, Damaged: b.Damaged}
	var err error
	if out.Image, err = b.Image.identity(); err != nil {
		return err
	}
	if out.Options, err = b.Options.options(); err != nil {
		return err
	}
	out.Plan, err = b.Plan.plan()
	return err
}

func (m *image2) identity() (Identity, error) {
	id := Identity{Path: m.Path}
	for _, f := range m.Files {
		if f.Size < 0 {
			return id, wrong("size", f.Size)
		}
		if f.SHA256 != "" {
			if _, err := digest("sha256", f.SHA256); err != nil {
				return id, err
			}
		}
		id.Files = append(id.Files, FileID{f.Name, f.Size, f.Modified, f.SHA256})
	}
	return id, nil
}

func (o *options2) options() (burn.Options, error) {
	mode, err := word("mode", o.Mode, modes)
	if err != nil {
		return burn.Options{}, err
	}
	spare, err := word("spare", o.Spare, spares)
	if err != nil {
		return burn.Options{}, err
	}
	if o.Speed < 0 || o.Speed > 1000 {
		return burn.Options{}, wrong("speed", o.Speed)
	}
	return burn.Options{Mode: mode, Speed: o.Speed, Multi: o.Multi, Simulate: o.Simulate, Blank: o.Blank, Full: o.Full,
		Spare: spare, Overburn: o.Overburn, AnyPlace: o.AnyPlace, Streaming: o.Stream}, nil
}

func (p *plan2) plan() (*burn.Plan, error) {
	out := &burn.Plan{Profile: mmc.Profile(p.Profile), Speed: p.Speed, Simulate: p.Simulate, Final: p.Final}
	const week = 7 * 24 * time.Hour
	switch {
	case p.Speed < 0 || p.Speed > 1<<30:
		return nil, wrong("speed", p.Speed)
	case p.Seconds < 0 || p.Seconds > week.Seconds():
		return nil, wrong("seconds", p.Seconds)
	}
	out.Expected = time.Duration(p.Seconds * float64(time.Second))
	var err error
	if out.Mode, err = word("mode", p.Mode, modes); err != nil {
		return nil, err
	}
	if out.Start, err = address("start", p.Start); err != nil {
		return nil, err
	}
	for _, r := range p.Content {
		region, err := r.region()
		if err != nil {
			return nil, err
		}
		out.Content = append(out.Content, region)
	}
	for _, raw := range p.Steps {
		s, err := decodeStep(raw)
		if err != nil {
			return nil, err
		}
		out.Steps = append(out.Steps, s)
	}
	return out, nil
}

func (r *region2) region() (burn.Region, error) {
	form, err := formOf(r.Form)
	if err != nil {
		return burn.Region{}, err
	}
	return region(r.LBA, r.Source, r.Count, form)
}

// region checks the numbers of a region.
func region(lba, source, n int, form burn.Form) (burn.Region, error) {
	out := burn.Region{Form: form}
	var err error
	if out.LBA, err = address("lba", lba); err != nil {
		return out, err
	}
	if out.Source, err = address("source", source); err != nil {
		return out, err
	}
	out.Count, err = count("count", n)
	return out, err
}

func (p *position2) to(out *burn.Position) error {
	if p == nil {
		return missing("at")
	}
	at := burn.Position{Step: p.Step}
	var err error
	if at.LBA, err = address("lba", p.LBA); err != nil {
		return err
	}
	if p.Sent != nil {
		if at.Sent, err = sum(p.Sent.Bytes, p.Sent.SHA256); err != nil {
			return err
		}
	}
	*out = at
	return nil
}

// sum makes the sum of what was sent.
func sum(bytes int64, sha string) (burn.Sum, error) {
	if bytes < 0 {
		return burn.Sum{}, wrong("bytes", bytes)
	}
	d, err := digest("sha256", sha)
	return burn.Sum{Bytes: bytes, SHA256: d}, err
}

func digest(field, s string) ([32]byte, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 32 {
		return [32]byte{}, &fieldError{field, errors.New("not a SHA-256 in hexadecimal")}
	}
	return [32]byte(b), nil
}

// senseForm is that of a sense code.
var senseForm = regexp.MustCompile(`^[0-9A-F]/[0-9A-F]{2}/[0-9A-F]{2}$`)

func (f *failure2) to(out *Failure) error {
	reason, err := word("reason", f.Reason, reasons)
	if err != nil {
		return err
	}
	state, err := word("state", f.State, states)
	if err != nil {
		return err
	}
	if f.Sense != "" && !senseForm.MatchString(f.Sense) {
		return wrong("sense", f.Sense)
	}
	*out = Failure{Reason: reason, Text: f.Error, Sense: f.Sense, State: state}
	return nil
}

// newBegin2 is a begin as it is written.
func newBegin2(b *Begin) (*begin2, error) {
	o, p := b.Options, b.Plan
	out := &begin2{Device: b.Device, Drive: b.Drive, Medium: b.Profile, MediumID: b.MediumID, Verify: b.Verify, Retry: b.Retry, Damaged: b.Damaged}
	out.Image.Path = b.Image.Path
	for _, f := range b.Image.Files {
		out.Image.Files = append(out.Image.Files, file2{f.Name, f.Size, f.ModTime, f.SHA256})
	}
	out.Options = options2{string(o.Mode), o.Speed, o.Multi, o.Simulate, o.Blank, o.Full, string(o.Spare), o.Overburn, o.AnyPlace, o.Streaming}
	out.Plan = &plan2{Profile: uint16(p.Profile), Mode: string(p.Mode), Speed: p.Speed, Start: int(p.Start), Simulate: p.Simulate, Final: p.Final,
		Seconds: p.Expected.Seconds(), Content: []region2{}, Steps: []json.RawMessage{}}
	for _, r := range p.Content {
		out.Plan.Content = append(out.Plan.Content, region2{int(r.LBA), int(r.Source), r.Count, formName(r.Form)})
	}
	for _, s := range p.Steps {
		raw, err := encodeStep(s)
		if err != nil {
			return nil, err
		}
		out.Plan.Steps = append(out.Plan.Steps, raw)
	}
	return out, nil
}

func newPosition2(at burn.Position) *position2 {
	p := &position2{Step: at.Step, LBA: int(at.LBA)}
	if at.Sent.Bytes > 0 {
		p.Sent = &sent2{at.Sent.Bytes, hex.EncodeToString(at.Sent.SHA256[:])}
	}
	return p
}

func newRanges2(list []burn.Range) []range2 {
	var out []range2
	for _, r := range list {
		out = append(out, range2{int(r.First), r.Count})
	}
	return out
}
