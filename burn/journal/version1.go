package journal

import (
	"errors"
	"strings"
	"time"

	"spindle/burn"
	"spindle/disc"
)

// The types of version 1, as they stand in files that have no version. Names that
// begin with a capital letter are those of Go fields of that time.
type (
	line1 struct {
		Time       time.Time `json:"time"`
		Event      string    `json:"event"` // begin, step, failed, verified, done
		Begin      *begin1   `json:"begin"`
		Step       int       `json:"step"`
		LBA        int       `json:"lba"`
		Error      string    `json:"error"`
		Sense      string    `json:"sense"`
		State      string    `json:"state"`
		SHA256     string    `json:"sha256"`
		Bytes      int64     `json:"bytes"`
		Different  []range2  `json:"different"`
		Unreadable []range2  `json:"unreadable"`
	}

	begin1 struct {
		Image struct {
			Path     string    `json:"path"`
			Size     int64     `json:"size"`
			Modified time.Time `json:"modified"`
		} `json:"image"`
		Options  options1 `json:"options"`
		Device   string   `json:"device"`
		Drive    string   `json:"drive"`
		Profile  string   `json:"profile"`
		MediumID string   `json:"mediumID"`
		Plan     *plan1   `json:"plan"`
		Verify   bool     `json:"verify"`
		Retry    string   `json:"retry"`
	}

	options1 struct {
		Mode     string  `json:"Mode"`
		Speed    float64 `json:"Speed"`
		Multi    bool    `json:"Multi"`
		Simulate bool    `json:"Simulate"`
		Blank    bool    `json:"Blank"`
		Full     bool    `json:"Full"`
		Spare    string  `json:"Spare"`
		Overburn bool    `json:"Overburn"`
		AnyPlace bool    `json:"AnyPlace"`
	}

	plan1 struct {
		Profile  uint16   `json:"profile"`
		Mode     string   `json:"mode"`
		Speed    int      `json:"speed"`
		Steps    []step1  `json:"steps"`
		Simulate bool     `json:"simulate"`
		Final    bool     `json:"final"`
		Start    int      `json:"start"`
		Expected int64    `json:"expected"` // nanoseconds
		Notes    []string `json:"notes"`
	}

	step1 struct {
		Op     string      `json:"op"`
		Blank  uint8       `json:"blank"`
		Format *format1    `json:"format"`
		Layer0 uint32      `json:"layer0"`
		Params *params1    `json:"params"`
		Blocks uint32      `json:"blocks"`
		Cue    []cue1      `json:"cue"`
		LBA    int         `json:"lba"`
		Soft   bool        `json:"soft"`
		Count  int         `json:"count"`
		Form   uint8       `json:"form"`
		Source int         `json:"source"`
		Zeros  bool        `json:"zeros"`
		Pad    int         `json:"pad"`
		Packs  []disc.Pack `json:"packs"` // arrays of 18 numbers
		Last   bool        `json:"last"`
		Close  uint8       `json:"close"`
		Track  int         `json:"track"`
	}

	format1 struct {
		Type    uint8  `json:"Type"`
		SubType uint8  `json:"SubType"`
		Blocks  uint32 `json:"Blocks"`
		Param   uint32 `json:"Param"`
	}

	params1 struct {
		Type          uint8  `json:"Type"`
		TestWrite     bool   `json:"TestWrite"`
		UnderrunFree  bool   `json:"UnderrunFree"`
		MultiSession  uint8  `json:"MultiSession"`
		TrackMode     uint8  `json:"TrackMode"`
		Block         uint8  `json:"Block"`
		SessionFormat uint8  `json:"SessionFormat"`
		FixedPacket   uint32 `json:"FixedPacket"`
		LinkSize      uint8  `json:"LinkSize"`
		MCN           string `json:"MCN"`
		ISRC          string `json:"ISRC"`
	}

	cue1 struct {
		Control uint8  `json:"Control"`
		ADR     uint8  `json:"ADR"`
		Track   uint8  `json:"Track"`
		Index   uint8  `json:"Index"`
		Form    uint8  `json:"Form"`
		LBA     int32  `json:"LBA"`
		Text    []byte `json:"Text"` // base64
	}
)

// version1 reads the lines of version 1.
type version1 struct{}

func (version1) line(j *Journal, raw []byte, first bool) error {
	var l line1
	if err := strict(raw, &l); err != nil {
		return err
	}
	if first != (l.Event == "begin") {
		return wrong("event", l.Event)
	}
	j.Time = l.Time
	switch l.Event {
	case "begin":
		if l.Begin == nil || l.Begin.Plan == nil {
			return missing("plan")
		}
		return l.Begin.to(&j.Begin)
	case "step":
		at := position2{Step: l.Step, LBA: l.LBA}
		return at.to(&j.At)
	case "failed":
		return l.failed(j)
	case "verified":
	case "done":
		j.Done = true
	default:
		return wrong("event", l.Event)
	}
	return nil
}

func (l *line1) failed(j *Journal) error {
	at := position2{Step: l.Step, LBA: l.LBA}
	if l.Bytes > 0 {
		at.Sent = &sent2{l.Bytes, l.SHA256}
	}
	if err := at.to(&j.At); err != nil {
		return err
	}
	f := failure2{Reason: string(Stopped), Error: l.Error, Sense: l.Sense, State: l.State}
	// What happened stands in the words that spindle showed.
	const while = "the burn failed while "
	switch {
	case l.Error == "the disc differs from the image":
		f.Reason, f.Error = string(Different), ""
	case strings.HasPrefix(l.Error, "it was interrupted at sector "):
		f.Reason, f.Error = string(Interrupted), ""
	case strings.HasPrefix(l.Error, while):
		if _, cause, ok := strings.Cut(l.Error[len(while):], ": "); ok {
			f.Error = cause
		}
	}
	return f.to(&j.Failure)
}

func (b *begin1) to(out *Begin) error {
	if b.Image.Size < 0 {
		return wrong("size", b.Image.Size)
	}
	*out = Begin{Device: b.Device, Drive: b.Drive, Profile: b.Profile, MediumID: b.MediumID, Verify: b.Verify, Retry: b.Retry,
		Image: Identity{Path: b.Image.Path, Files: []FileID{{Size: b.Image.Size, ModTime: b.Image.Modified}}}}
	o := options2{b.Options.Mode, b.Options.Speed, b.Options.Multi, b.Options.Simulate, b.Options.Blank, b.Options.Full, b.Options.Spare,
		b.Options.Overburn, b.Options.AnyPlace, false}
	var err error
	if out.Options, err = o.options(); err != nil {
		return err
	}
	out.Plan, err = b.Plan.plan()
	return err
}

func (p *plan1) plan() (*burn.Plan, error) {
	same := plan2{Profile: p.Profile, Mode: p.Mode, Speed: p.Speed, Start: p.Start, Simulate: p.Simulate, Final: p.Final,
		Seconds: time.Duration(p.Expected).Seconds()}
	out, err := same.plan()
	if err != nil {
		return nil, err
	}
	for i := range p.Steps {
		s, err := p.Steps[i].step()
		if err != nil {
			return nil, err
		}
		out.Steps = append(out.Steps, s)
	}
	return out, nil
}

// step reads a step by the type of version 2 that has its fields.
func (s *step1) step() (burn.Step, error) {
	switch s.Op {
	case "blank":
		return (&blank2{Type: s.Blank}).step()
	case "format":
		if s.Format == nil {
			return nil, missing("format")
		}
		return (&format2{Type: s.Format.Type, SubType: s.Format.SubType, Blocks: s.Format.Blocks, Param: s.Format.Param, Optional: s.Soft}).step()
	case "layer break":
		return burn.LayerStep{Blocks: s.Layer0}, nil
	case "write parameters":
		if s.Params == nil {
			return nil, missing("params")
		}
		p := s.Params
		return (&params2{"", p.Type, p.TestWrite, p.UnderrunFree, p.MultiSession, p.TrackMode, p.Block, p.SessionFormat, p.FixedPacket,
			p.LinkSize, p.MCN, p.ISRC}).step()
	case "calibrate":
		return burn.CalibrateStep{}, nil
	case "reserve":
		return burn.ReserveStep{Blocks: s.Blocks}, nil
	case "cue sheet":
		var sheet cueSheet2
		for _, e := range s.Cue {
			sheet.Entries = append(sheet.Entries, cue2{e.Control, e.ADR, e.Track, e.Index, e.Form, e.LBA, string(e.Text)})
		}
		return sheet.step()
	case "expect":
		return (&expect2{LBA: s.LBA}).step()
	case "write":
		return s.write()
	case "synchronize":
		return burn.SyncStep{Last: s.Last}, nil
	case "close":
		return (&close2{Function: s.Close, Track: s.Track, Optional: s.Soft}).step()
	}
	return nil, wrong("op", s.Op)
}

// write reads a step that writes. Its kind follows from the form and the flags.
func (s *step1) write() (burn.Step, error) {
	form := burn.Form(s.Form)
	name := formName(form)
	if name == "" {
		return nil, wrong("form", s.Form)
	}
	switch {
	case s.Zeros:
		return (&zero2{LBA: s.LBA, Count: s.Count, Form: name}).step()
	case form == burn.FormRaw96:
		return (&raw2{LBA: s.LBA, Count: s.Count}).step()
	case form != burn.FormText:
		return (&write2{region2: region2{s.LBA, s.Source, s.Count, name}, Pad: s.Pad}).step()
	}
	r, err := region(s.LBA, 0, s.Count, form)
	if err != nil {
		return nil, err
	}
	if len(s.Packs) == 0 {
		return nil, &fieldError{"packs", errors.New("there are none")}
	}
	return burn.TextStep{LBA: r.LBA, Count: r.Count, Packs: s.Packs}, nil
}
