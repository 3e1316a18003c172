package journal

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"spindle/burn"
	"spindle/disc"
	"spindle/scsi/mmc"
)

// The steps of a plan in version 2: objects with an "op". The numbers of blanking,
// formatting, write parameters, cue sheets and closing are those of MMC.
type (
	blank2 struct {
		Op   string `json:"op"`
		Type uint8  `json:"type"`
	}

	format2 struct {
		Op       string `json:"op"`
		Type     uint8  `json:"type"`
		SubType  uint8  `json:"subtype,omitempty"`
		Blocks   uint32 `json:"blocks"`
		Param    uint32 `json:"param,omitempty"`
		Optional bool   `json:"optional,omitempty"`
	}

	// blocks2 is a layer break or a reservation.
	blocks2 struct {
		Op     string `json:"op"`
		Blocks uint32 `json:"blocks"`
	}

	params2 struct {
		Op            string `json:"op"`
		Type          uint8  `json:"type"`
		Test          bool   `json:"test,omitempty"`
		UnderrunFree  bool   `json:"underrun_free,omitempty"`
		MultiSession  uint8  `json:"multi_session,omitempty"`
		TrackMode     uint8  `json:"track_mode,omitempty"`
		Block         uint8  `json:"block,omitempty"`
		SessionFormat uint8  `json:"session_format,omitempty"`
		Packet        uint32 `json:"packet,omitempty"`
		Link          uint8  `json:"link,omitempty"`
		MCN           string `json:"mcn,omitempty"`
		ISRC          string `json:"isrc,omitempty"`
	}

	// bare2 is a step without more.
	bare2 struct {
		Op string `json:"op"`
	}

	cueSheet2 struct {
		Op      string `json:"op"`
		Entries []cue2 `json:"entries"`
	}

	cue2 struct {
		Control uint8  `json:"control"`
		ADR     uint8  `json:"adr"`
		Track   uint8  `json:"track"`
		Index   uint8  `json:"index,omitempty"`
		Form    uint8  `json:"form,omitempty"`
		LBA     int32  `json:"lba"`
		Text    string `json:"text,omitempty"`
	}

	expect2 struct {
		Op  string `json:"op"`
		LBA int    `json:"lba"`
	}

	write2 struct {
		Op string `json:"op"`
		region2
		Pad int `json:"pad,omitempty"`
	}

	zero2 struct {
		Op    string `json:"op"`
		LBA   int    `json:"lba"`
		Count int    `json:"count"`
		Form  string `json:"form"`
	}

	text2 struct {
		Op    string   `json:"op"`
		LBA   int      `json:"lba"`
		Count int      `json:"count"`
		Packs []string `json:"packs"` // hexadecimal
	}

	raw2 struct {
		Op    string `json:"op"`
		LBA   int    `json:"lba"`
		Count int    `json:"count"`
	}

	sync2 struct {
		Op   string `json:"op"`
		Last bool   `json:"last,omitempty"`
	}

	close2 struct {
		Op       string `json:"op"`
		Function uint8  `json:"function"`
		Track    int    `json:"track,omitempty"`
		Optional bool   `json:"optional,omitempty"`
	}
)

// A stepForm is a step as it stands in the file.
type stepForm interface{ step() (burn.Step, error) }

// stepForms are the operations.
var stepForms = []struct {
	op  string
	new func() stepForm
}{
	{"blank", func() stepForm { return new(blank2) }},
	{"format", func() stepForm { return new(format2) }},
	{"layer break", func() stepForm { return new(blocks2) }},
	{"write parameters", func() stepForm { return new(params2) }},
	{"calibrate", func() stepForm { return new(bare2) }},
	{"reserve", func() stepForm { return new(blocks2) }},
	{"cue sheet", func() stepForm { return new(cueSheet2) }},
	{"expect", func() stepForm { return new(expect2) }},
	{"write", func() stepForm { return new(write2) }},
	{"write zeros", func() stepForm { return new(zero2) }},
	{"write text", func() stepForm { return new(text2) }},
	{"write raw", func() stepForm { return new(raw2) }},
	{"synchronize", func() stepForm { return new(sync2) }},
	{"close", func() stepForm { return new(close2) }},
}

// decodeStep reads a step.
func decodeStep(raw json.RawMessage) (burn.Step, error) {
	var head bare2
	if err := json.Unmarshal(raw, &head); err != nil {
		return nil, err
	}
	for _, f := range stepForms {
		if f.op == head.Op {
			s := f.new()
			if err := strict(raw, s); err != nil {
				return nil, err
			}
			return s.step()
		}
	}
	return nil, wrong("op", head.Op)
}

// encodeStep writes a step.
func encodeStep(s burn.Step) (json.RawMessage, error) {
	var v any
	switch s := s.(type) {
	case burn.BlankStep:
		v = blank2{"blank", uint8(s.Type)}
	case burn.FormatStep:
		f := s.Request
		v = format2{"format", uint8(f.Type), uint8(f.SubType), f.Blocks, f.Param, s.Optional}
	case burn.LayerStep:
		v = blocks2{"layer break", s.Blocks}
	case burn.ParamsStep:
		p := s.Params
		v = params2{"write parameters", uint8(p.Type), p.TestWrite, p.UnderrunFree, uint8(p.MultiSession), uint8(p.TrackMode), uint8(p.Block),
			uint8(p.SessionFormat), p.FixedPacket, p.LinkSize, p.MCN, p.ISRC}
	case burn.CalibrateStep:
		v = bare2{"calibrate"}
	case burn.ReserveStep:
		v = blocks2{"reserve", s.Blocks}
	case burn.CueSheetStep:
		v = newCueSheet2(s.Entries)
	case burn.ExpectStep:
		v = expect2{"expect", int(s.LBA)}
	case burn.SyncStep:
		v = sync2{"synchronize", s.Last}
	case burn.CloseStep:
		v = close2{"close", uint8(s.Function), s.Track, s.Optional}
	default:
		v = writing2(s)
	}
	if v == nil {
		return nil, fmt.Errorf("a step of kind %T", s)
	}
	return json.Marshal(v)
}

// writing2 is a step that writes.
func writing2(s burn.Step) any {
	switch s := s.(type) {
	case burn.WriteStep:
		return write2{"write", region2{int(s.LBA), int(s.Source), s.Count, formName(s.Form)}, s.Pad}
	case burn.ZeroStep:
		return zero2{"write zeros", int(s.LBA), s.Count, formName(s.Form)}
	case burn.TextStep:
		t := text2{Op: "write text", LBA: int(s.LBA), Count: s.Count}
		for _, p := range s.Packs {
			t.Packs = append(t.Packs, hex.EncodeToString(p[:]))
		}
		return t
	case burn.RawStep:
		return raw2{"write raw", int(s.LBA), s.Count}
	}
	return nil
}

func newCueSheet2(entries []mmc.CueEntry) cueSheet2 {
	sheet := cueSheet2{Op: "cue sheet"}
	for _, e := range entries {
		sheet.Entries = append(sheet.Entries, cue2{uint8(e.Control), e.ADR, e.Track, e.Index, uint8(e.Form), int32(e.LBA), string(e.Text)})
	}
	return sheet
}

func (s *blank2) step() (burn.Step, error) {
	switch t := mmc.BlankType(s.Type); t {
	case mmc.BlankAll, mmc.BlankMinimal, mmc.BlankUnclose, mmc.BlankSession:
		return burn.BlankStep{Type: t}, nil
	}
	return nil, wrong("type", s.Type)
}

func (s *format2) step() (burn.Step, error) {
	if s.Param >= 1<<24 {
		return nil, wrong("param", s.Param)
	}
	return burn.FormatStep{Request: mmc.FormatRequest{Type: mmc.FormatType(s.Type), SubType: mmc.FormatSubType(s.SubType), Blocks: s.Blocks, Param: s.Param}, Optional: s.Optional}, nil
}

func (s *blocks2) step() (burn.Step, error) {
	if s.Op == "reserve" {
		return burn.ReserveStep{Blocks: s.Blocks}, nil
	}
	return burn.LayerStep{Blocks: s.Blocks}, nil
}

func (s *params2) step() (burn.Step, error) {
	switch {
	case len(s.MCN) != 0 && len(s.MCN) != 13:
		return nil, wrong("mcn", s.MCN)
	case len(s.ISRC) != 0 && len(s.ISRC) != 12:
		return nil, wrong("isrc", s.ISRC)
	case s.Type > 3:
		return nil, wrong("type", s.Type)
	}
	return burn.ParamsStep{Params: mmc.WriteParameters{Type: mmc.WriteType(s.Type), TestWrite: s.Test, UnderrunFree: s.UnderrunFree,
		MultiSession: mmc.MultiSession(s.MultiSession), TrackMode: mmc.Control(s.TrackMode), Block: mmc.BlockType(s.Block), SessionFormat: mmc.SessionFormat(s.SessionFormat),
		FixedPacket: s.Packet, LinkSize: s.Link, MCN: s.MCN, ISRC: s.ISRC}}, nil
}

func (*bare2) step() (burn.Step, error) { return burn.CalibrateStep{}, nil }

func (s *cueSheet2) step() (burn.Step, error) {
	const most = 99 * 102 // tracks, with their indexes and codes
	if len(s.Entries) == 0 || len(s.Entries) > most {
		return nil, wrong("entries", len(s.Entries))
	}
	var out burn.CueSheetStep
	for _, e := range s.Entries {
		if _, err := address("lba", int(e.LBA)); err != nil {
			return nil, err
		}
		if e.Control > 15 || e.ADR == 0 || e.ADR > 3 || len(e.Text) > 7 {
			return nil, wrong("entries", e)
		}
		entry := mmc.CueEntry{Control: mmc.Control(e.Control), ADR: e.ADR, Track: e.Track, Index: e.Index, Form: mmc.DataForm(e.Form), LBA: disc.LBA(e.LBA)}
		if e.Text != "" {
			entry.Text = []byte(e.Text)
		}
		out.Entries = append(out.Entries, entry)
	}
	return out, nil
}

func (s *expect2) step() (burn.Step, error) {
	at, err := address("lba", s.LBA)
	return burn.ExpectStep{LBA: at}, err
}

func (s *write2) step() (burn.Step, error) {
	r, err := s.region()
	if err != nil {
		return nil, err
	}
	switch {
	case r.Form == burn.FormRaw96 || r.Form == burn.FormText:
		return nil, wrong("form", s.Form)
	case s.Pad < 0 || s.Pad > s.Count:
		return nil, wrong("pad", s.Pad)
	}
	return burn.WriteStep{Region: r, Pad: s.Pad}, nil
}

func (s *zero2) step() (burn.Step, error) {
	form, err := formOf(s.Form)
	if err != nil {
		return nil, err
	}
	r, err := region(s.LBA, 0, s.Count, form)
	return burn.ZeroStep{LBA: r.LBA, Count: r.Count, Form: form}, err
}

func (s *text2) step() (burn.Step, error) {
	r, err := region(s.LBA, 0, s.Count, burn.FormText)
	if err != nil {
		return nil, err
	}
	const most = 8 * 256 // blocks of packs
	if len(s.Packs) == 0 || len(s.Packs) > most {
		return nil, wrong("packs", len(s.Packs))
	}
	out := burn.TextStep{LBA: r.LBA, Count: r.Count}
	for _, h := range s.Packs {
		b, err := hex.DecodeString(h)
		if err != nil || len(b) != disc.PackSize {
			return nil, &fieldError{"packs", errors.New("not a pack in hexadecimal")}
		}
		out.Packs = append(out.Packs, disc.Pack(b))
	}
	return out, nil
}

func (s *raw2) step() (burn.Step, error) {
	r, err := region(s.LBA, 0, s.Count, burn.FormRaw96)
	return burn.RawStep{LBA: r.LBA, Count: r.Count}, err
}

func (s *sync2) step() (burn.Step, error) { return burn.SyncStep{Last: s.Last}, nil }

func (s *close2) step() (burn.Step, error) {
	if s.Function > 7 {
		return nil, wrong("function", s.Function)
	}
	if s.Track < 0 || s.Track > 0xFFFF {
		return nil, wrong("track", s.Track)
	}
	return burn.CloseStep{Function: mmc.CloseFunction(s.Function), Track: s.Track, Optional: s.Optional}, nil
}
