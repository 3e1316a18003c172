package mmc_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"spindle/addr"
	"spindle/scsi"
	"spindle/scsi/mmc"
)

// goldenCalls are the calls of testdata/cdb.txt. The result is nil where a call has
// none but its error.
var goldenCalls = []struct {
	name string
	run  func(context.Context, *mmc.Drive) (any, error)
}{
	{"TestUnitReady()", nothing(func(ctx context.Context, d *mmc.Drive) error { return d.TestUnitReady(ctx) })},
	{"RequestSense()", func(ctx context.Context, d *mmc.Drive) (any, error) {
		s, err := d.RequestSense(ctx)
		return fmt.Sprintf("%s, %g %%", s.String(), s.Progress*100), err
	}},
	{"Busy() while writing", busy},
	{"Busy() when ready", busy},
	{"Inquiry()", result((*mmc.Drive).Inquiry)},
	{"SerialNumber()", result((*mmc.Drive).SerialNumber)},
	{"StartStop(Stop)", startStop(mmc.Stop)},
	{"StartStop(Start)", startStop(mmc.Start)},
	{"StartStop(Eject)", startStop(mmc.Eject)},
	{"StartStop(Load)", startStop(mmc.Load)},
	{"PreventRemoval()", nothing(func(ctx context.Context, d *mmc.Drive) error { return d.PreventRemoval(ctx) })},
	{"AllowRemoval()", nothing(func(ctx context.Context, d *mmc.Drive) error { return d.AllowRemoval(ctx) })},
	{"MediaEvent()", result((*mmc.Drive).MediaEvent)},
	{"MechanismStatus()", result((*mmc.Drive).MechanismStatus)},
	{"RegionState()", result((*mmc.Drive).RegionState)},
	{"Configuration()", result((*mmc.Drive).Configuration)},

	{"ModePage(01h)", modePage},
	{"ModePage(01h) behind a block descriptor", modePage},
	{"SetModePage(01h)", nothing(func(ctx context.Context, d *mmc.Drive) error {
		return d.SetModePage(ctx, []byte{0x81, 10, 0x20, 8, 0, 0, 0, 0, 0, 0, 0, 0})
	})},
	{"ErrorRecovery()", func(ctx context.Context, d *mmc.Drive) (any, error) {
		r, err := d.ErrorRecovery(ctx)
		return fmt.Sprintf("TransferBlock %t, ReadRetries %d", r.TransferBlock, r.ReadRetries), err
	}},
	{"SetErrorRecovery(TB off, 1 retry)", nothing(func(ctx context.Context, d *mmc.Drive) error {
		r, err := d.ErrorRecovery(ctx)
		if err != nil {
			return err
		}
		r.TransferBlock, r.ReadRetries = false, 1
		return d.SetErrorRecovery(ctx, r)
	})},
	{"Capabilities()", result((*mmc.Drive).Capabilities)},
	{"SetWriteParameters(TAO, data, more sessions)", writeParameters(mmc.WriteParameters{Type: mmc.WriteTrackAtOnce,
		UnderrunFree: true, MultiSession: mmc.NextSession, TrackMode: mmc.ControlData, Block: mmc.BlockMode1})},
	{"SetWriteParameters(SAO, XA, MCN, test)", writeParameters(mmc.WriteParameters{Type: mmc.WriteSessionAtOnce, TestWrite: true,
		UnderrunFree: true, SessionFormat: mmc.SessionXA, MCN: "4012345678901"})},
	{"SetWriteParameters(TAO, audio, ISRC)", writeParameters(mmc.WriteParameters{Type: mmc.WriteTrackAtOnce,
		UnderrunFree: true, ISRC: "GBAYE6700001"})},
	{"SetWriteParameters(DVD-R incremental)", writeParameters(mmc.WriteParameters{Type: mmc.WriteIncremental, UnderrunFree: true,
		TrackMode: mmc.ControlData | mmc.ControlIncremental, Block: mmc.BlockMode1, FixedPacket: 16, LinkSize: 16})},
	{"SetWriteParameters(raw with P to W)", writeParameters(mmc.WriteParameters{Type: mmc.WriteRaw, Block: mmc.BlockRaw96})},

	{"Read10(2 blocks at 4096)", func(ctx context.Context, d *mmc.Drive) (any, error) {
		return d.Read10(ctx, make([]byte, 2*mmc.BlockSize), 4096)
	}},
	{"Read12(1 block at 16, ForceUnitAccess)", func(ctx context.Context, d *mmc.Drive) (any, error) {
		return d.Read12(ctx, make([]byte, mmc.BlockSize), 16, mmc.ForceUnitAccess)
	}},
	{"DropBuffer(4096)", func(ctx context.Context, d *mmc.Drive) (any, error) {
		return nil, d.DropBuffer(ctx, 4096)
	}},
	{"ReadCD(audio with C2, 24 sectors at 1000)", readCD(24*(2352+294),
		mmc.CDReadRequest{LBA: 1000, Count: 24, Expect: mmc.CDDASector, Fields: mmc.UserData, C2: mmc.C2Bits})},
	{"ReadCD(all of 1 sector at -150, C2 and block, raw sub-channel)", readCD(2352+296+96,
		mmc.CDReadRequest{LBA: -150, Count: 1, Fields: mmc.RawSector, C2: mmc.C2AndBlock, Sub: mmc.RawSub})},
	{"ReadCD(Mode 1 user data, formatted Q, 70000 sectors)", readCD(70000*(2048+16),
		mmc.CDReadRequest{Count: 70000, Expect: mmc.Mode1Sector, Fields: mmc.UserData, Sub: mmc.QSub})},
	{"MCN()", result((*mmc.Drive).MCN)},
	{"ISRC(7)", isrc(7)},
	{"ISRC(8) of a track without one", isrc(8)},

	{"TOC()", result((*mmc.Drive).TOC)},
	{"SessionInfo()", result((*mmc.Drive).SessionInfo)},
	{"FullTOC()", result((*mmc.Drive).FullTOC)},
	{"ATIP()", result((*mmc.Drive).ATIP)},
	{"CDText()", result((*mmc.Drive).CDText)},

	{"DiscInfo()", result((*mmc.Drive).DiscInfo)},
	{"TrackInfo(FFh)", func(ctx context.Context, d *mmc.Drive) (any, error) { return d.TrackInfo(ctx, mmc.OpenTrackCD) }},
	{"TrackInfoAt(-150)", func(ctx context.Context, d *mmc.Drive) (any, error) { return d.TrackInfoAt(ctx, -150) }},
	{"Capacity()", result((*mmc.Drive).Capacity)},
	{"FormatCapacities()", result((*mmc.Drive).FormatCapacities)},

	{"DiscStructure(BD, 00h, layer 1)", func(ctx context.Context, d *mmc.Drive) (any, error) {
		return d.DiscStructure(ctx, mmc.StructureBD, mmc.StructurePhysical, 1)
	}},
	{"DVDPhysical()", result((*mmc.Drive).DVDPhysical)},
	{"DVDCopyright()", result((*mmc.Drive).DVDCopyright)},
	{"LayerCapacity()", result((*mmc.Drive).LayerCapacity)},
	{"SetLayer0Capacity(2086912)", nothing(func(ctx context.Context, d *mmc.Drive) error { return d.SetLayer0Capacity(ctx, 2086912) })},
	{"BDInfo()", result((*mmc.Drive).BDInfo)},
	{"MediaID(CD-R)", mediaID(mmc.ProfileCDR)},
	{"MediaID(DVD+R)", mediaID(mmc.ProfileDVDPlusR)},
	{"MediaID(DVD-R)", mediaID(mmc.ProfileDVDR)},
	{"MediaID(BD-R)", mediaID(mmc.ProfileBDR)},

	{"SetCDSpeed(7056, MaxSpeed)", nothing(func(ctx context.Context, d *mmc.Drive) error { return d.SetCDSpeed(ctx, 7056, mmc.MaxSpeed) })},
	{"SetCDSpeed(MaxSpeed, 4234)", nothing(func(ctx context.Context, d *mmc.Drive) error { return d.SetCDSpeed(ctx, 100000, 4234) })},
	{"SetStreaming(2295103, 5540, 11080)", streaming(5540, 11080)},
	{"SetStreaming(2295103, 0, 0)", streaming(0, 0)},
	{"ReadPerformance()", result((*mmc.Drive).ReadPerformance)},
	{"WritePerformance()", result((*mmc.Drive).WritePerformance)},
	{"WriteSpeeds()", result((*mmc.Drive).WriteSpeeds)},

	{"Write(-150, 1 block of 2352)", write(-150, 1, 2352)},
	{"Write(16, 16 blocks of 2048)", write(16, 16, 2048)},
	{"Write(-11635, 3 blocks of 96)", write(-11635, 3, 96)},
	{"WriteStreaming(32, 32 blocks)", nothing(func(ctx context.Context, d *mmc.Drive) error {
		return d.WriteStreaming(ctx, 32, 32, make([]byte, 32*mmc.BlockSize))
	})},
	{"SynchronizeCache(Wait)", nothing(func(ctx context.Context, d *mmc.Drive) error { return d.SynchronizeCache(ctx, mmc.Wait) })},
	{"SynchronizeCache(Immediate)", nothing(func(ctx context.Context, d *mmc.Drive) error { return d.SynchronizeCache(ctx, mmc.Immediate) })},
	{"ReserveTrack(1000000)", nothing(func(ctx context.Context, d *mmc.Drive) error { return d.ReserveTrack(ctx, 1000000) })},
	{"Close(CloseTrack, FFh, Wait)", closing(mmc.CloseTrack, mmc.OpenTrackCD, mmc.Wait)},
	{"Close(CloseTrack, 300, Immediate)", closing(mmc.CloseTrack, 300, mmc.Immediate)},
	{"Close(CloseSession, 0, Immediate)", closing(mmc.CloseSession, 0, mmc.Immediate)},
	{"Close(CloseBackground, 0, Immediate)", closing(mmc.CloseBackground, 0, mmc.Immediate)},
	{"Close(CloseMinimum, 0, Immediate)", closing(mmc.CloseMinimum, 0, mmc.Immediate)},
	{"Close(CloseFinalize, 0, Immediate)", closing(mmc.CloseFinalize, 0, mmc.Immediate)},
	{"CalibratePower()", nothing(func(ctx context.Context, d *mmc.Drive) error { return d.CalibratePower(ctx) })},
	{"BufferCapacity()", result((*mmc.Drive).BufferCapacity)},
	{"BufferCapacity() of a drive that claims more free than there is", result((*mmc.Drive).BufferCapacity)},
	{"SendCueSheet(audio, data)", nothing(func(ctx context.Context, d *mmc.Drive) error {
		return d.SendCueSheet(ctx, []mmc.CueEntry{
			{ADR: 2, Text: []byte("4012345")}, {ADR: 2, Text: []byte("678901")},
			{ADR: 1, Form: mmc.FormAudioNone},
			{ADR: 3, Track: 1, Text: []byte("GBAYE6")}, {ADR: 3, Track: 1, Text: []byte("700001")},
			{ADR: 1, Track: 1, LBA: -150}, {ADR: 1, Track: 1, Index: 1, LBA: 0},
			{Control: mmc.ControlData, ADR: 1, Track: 2, Form: mmc.FormMode1, LBA: (4*60+59)*75 + 74 - 150},
			{Control: mmc.ControlData, ADR: 1, Track: 2, Index: 1, Form: mmc.FormMode1, LBA: (5*60+1)*75 + 74 - 150},
			{Control: mmc.ControlData, ADR: 1, Track: mmc.CueLeadOut, Index: 1, Form: mmc.FormMode1None, LBA: (79*60+59)*75 + 74 - 150},
		})
	})},

	{"Blank(BlankAll, Wait)", blank(mmc.BlankAll, mmc.Wait)},
	{"Blank(BlankMinimal, Immediate)", blank(mmc.BlankMinimal, mmc.Immediate)},
	{"Blank(BlankSession, Immediate)", blank(mmc.BlankSession, mmc.Immediate)},
	{"Format(DVD+RW, all of it, Immediate)", format(mmc.FormatRequest{Type: mmc.FormatPlusRW, Blocks: 0xFFFFFFFF}, mmc.Immediate)},
	{"Format(DVD+RW, restarted, Immediate)", format(mmc.FormatRequest{Type: mmc.FormatPlusRW, Blocks: 0xFFFFFFFF, Param: 1}, mmc.Immediate)},
	{"Format(DVD-RW quick, Wait)", format(mmc.FormatRequest{Type: mmc.FormatRWQuick, Param: 16}, mmc.Wait)},
	{"Format(BD-RE with certification, Immediate)", format(mmc.FormatRequest{Type: mmc.FormatBDRE, SubType: mmc.SubTypeCertify,
		Blocks: 12005376, Param: 12288}, mmc.Immediate)},
	{"Format(BD-R without pseudo-overwrite, Immediate)", format(mmc.FormatRequest{Type: mmc.FormatBDR, SubType: mmc.SubTypeNoPOW,
		Blocks: 12005376, Param: 12288}, mmc.Immediate)},
}

type run = func(context.Context, *mmc.Drive) (any, error)

// result is a call without arguments.
func result[T any](call func(*mmc.Drive, context.Context) (T, error)) run {
	return func(ctx context.Context, d *mmc.Drive) (any, error) { return call(d, ctx) }
}

// nothing is a call that only succeeds or fails.
func nothing(call func(context.Context, *mmc.Drive) error) run {
	return func(ctx context.Context, d *mmc.Drive) (any, error) { return nil, call(ctx, d) }
}

func busy(ctx context.Context, d *mmc.Drive) (any, error) {
	w, err := d.Busy(ctx)
	return fmt.Sprintf("%t %g", w.Busy, w.Progress), err
}

func startStop(a mmc.LoadAction) run {
	return nothing(func(ctx context.Context, d *mmc.Drive) error { return d.StartStop(ctx, a) })
}

func modePage(ctx context.Context, d *mmc.Drive) (any, error) { return d.ModePage(ctx, 1) }

func writeParameters(w mmc.WriteParameters) run {
	return nothing(func(ctx context.Context, d *mmc.Drive) error { return d.SetWriteParameters(ctx, w) })
}

func readCD(size int, r mmc.CDReadRequest) run {
	return func(ctx context.Context, d *mmc.Drive) (any, error) { return d.ReadCD(ctx, make([]byte, size), r) }
}

func isrc(track int) run {
	return func(ctx context.Context, d *mmc.Drive) (any, error) { return d.ISRC(ctx, track) }
}

func mediaID(p mmc.Profile) run {
	return func(ctx context.Context, d *mmc.Drive) (any, error) { return d.MediaID(ctx, p), nil }
}

func streaming(read, write int) run {
	return nothing(func(ctx context.Context, d *mmc.Drive) error { return d.SetStreaming(ctx, 2295103, read, write) })
}

func write(lba addr.LBA, n, size int) run {
	return nothing(func(ctx context.Context, d *mmc.Drive) error { return d.Write(ctx, lba, n, make([]byte, n*size)) })
}

func closing(f mmc.CloseFunction, track int, c mmc.Completion) run {
	return nothing(func(ctx context.Context, d *mmc.Drive) error { return d.Close(ctx, f, track, c) })
}

func blank(t mmc.BlankType, c mmc.Completion) run {
	return nothing(func(ctx context.Context, d *mmc.Drive) error { return d.Blank(ctx, t, c) })
}

func format(f mmc.FormatRequest, c mmc.Completion) run {
	return nothing(func(ctx context.Context, d *mmc.Drive) error { return d.Format(ctx, f, c) })
}

// A goldenStep is one command of a call, and how the drive ends it.
type goldenStep struct {
	direction scsi.Direction
	length    int // of the data phase; -1: that of data
	cdb       []byte
	data      []byte // sent to the drive
	reply     []byte // nil: the buffer is filled
	sense     []byte
}

// A golden is one block of testdata/cdb.txt.
type golden struct {
	line   int
	steps  []*goldenStep
	result string
}

// goldens reads testdata/cdb.txt.
func goldens(t *testing.T) map[string]*golden {
	t.Helper()
	b, err := os.ReadFile("testdata/cdb.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]*golden)
	var g *golden
	for i, line := range strings.Split(string(b), "\n") {
		mark, rest, _ := strings.Cut(line, " ")
		var last *goldenStep
		if g != nil && len(g.steps) > 0 {
			last = g.steps[len(g.steps)-1]
		}
		var err error
		switch mark {
		case "", "#", "##", "seen":
		case "call":
			if all[rest] != nil {
				t.Fatalf("line %d: %s stands twice", i+1, rest)
			}
			g = &golden{line: i + 1}
			all[rest] = g
		case ">":
			var s *goldenStep
			s, err = parseStep(rest)
			g.steps = append(g.steps, s)
		case "+":
			last.data, err = appendHex(last.data, rest)
		case "<":
			last.reply, err = appendHex(last.reply, rest)
		case "!":
			last.sense, err = appendHex(last.sense, rest)
		case "=":
			g.result = rest
		default:
			err = errors.New("unknown mark")
		}
		if err != nil {
			t.Fatalf("testdata/cdb.txt:%d: %v", i+1, err)
		}
	}
	return all
}

func appendHex(b []byte, s string) ([]byte, error) {
	more, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	return append(b, more...), err
}

func parseStep(text string) (*goldenStep, error) {
	f := strings.Fields(text)
	s := &goldenStep{length: -1}
	switch f[0] {
	case "none":
		s.length = 0
	case "in":
		s.direction = scsi.In
	case "out":
		s.direction = scsi.Out
	default:
		return nil, fmt.Errorf("direction %q", f[0])
	}
	f = f[1:]
	if !isCDB(f) {
		n, err := strconv.Atoi(f[0])
		if err != nil || !isCDB(f[1:]) {
			return nil, errors.New("neither a length nor a CDB")
		}
		s.length, f = n, f[1:]
	}
	var err error
	s.cdb, err = appendHex(nil, strings.Join(f, ""))
	return s, err
}

// isCDB reports whether the fields have the length of a command descriptor block.
func isCDB(f []string) bool {
	if len(f) == 0 {
		return false
	}
	op, err := strconv.ParseUint(f[0], 16, 8)
	return err == nil && scsi.Opcode(op).CDBLength() == len(f)
}

// player is a device that expects the commands of a golden.
type player struct {
	plain
	t     *testing.T
	steps []*goldenStep
}

func (p *player) Execute(_ context.Context, c *scsi.Command) (int, error) {
	p.t.Helper()
	if len(p.steps) == 0 {
		p.t.Errorf("% X was not expected", c.CDB)
		return 0, scsi.ErrGone
	}
	s := p.steps[0]
	p.steps = p.steps[1:]
	if !bytes.Equal(c.CDB, s.cdb) {
		p.t.Errorf("sent % X\nwant % X", c.CDB, s.cdb)
	}
	if op := scsi.Opcode(c.CDB[0]); len(c.CDB) != op.CDBLength() {
		p.t.Errorf("%s has a CDB of %d bytes", op, len(c.CDB))
	}
	if c.Direction != s.direction {
		p.t.Errorf("% X goes %s, want %s", c.CDB, c.Direction, s.direction)
	}
	if s.length >= 0 && len(c.Data) != s.length {
		p.t.Errorf("% X transfers %d bytes, want %d", c.CDB, len(c.Data), s.length)
	}
	if s.length < 0 && !bytes.Equal(c.Data, s.data) {
		p.t.Errorf("% X\nsent % X\nwant % X", c.CDB, c.Data, s.data)
	}
	if s.sense != nil {
		sense, err := scsi.ParseSense(s.sense)
		if err != nil {
			p.t.Error(err)
		}
		return 0, &scsi.CheckCondition{Opcode: scsi.Opcode(c.CDB[0]), Sense: sense}
	}
	if s.reply == nil {
		return len(c.Data), nil
	}
	return copy(c.Data, s.reply), nil
}

func TestGoldenCDBs(t *testing.T) {
	all := goldens(t)
	for _, call := range goldenCalls {
		g := all[call.name]
		if g == nil {
			t.Errorf("%s has no lines in testdata/cdb.txt", call.name)
			continue
		}
		delete(all, call.name)
		t.Run(call.name, func(t *testing.T) {
			p := &player{t: t, steps: g.steps}
			got, err := call.run(t.Context(), mmc.New(p))
			if err != nil {
				t.Errorf("line %d: %v", g.line, err)
			}
			if len(p.steps) > 0 {
				t.Errorf("line %d: % X was not sent", g.line, p.steps[0].cdb)
			}
			if text := show(got); text != g.result {
				t.Errorf("line %d:\n got %s\nwant %s", g.line, text, g.result)
			}
		})
	}
	for name := range all {
		t.Errorf("testdata/cdb.txt has lines for %s, which golden_test.go does not call", name)
	}
}

// show prints a result as testdata/cdb.txt has it.
func show(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []byte:
		return fmt.Sprintf("% X", v)
	}
	return fmt.Sprintf("%+v", v)
}

// Every exported method of a drive that sends something has its bytes written down.
func TestEveryMethodHasGoldenCDBs(t *testing.T) {
	sendsNothing := map[string]bool{"Clock": true, "MaxTransfer": true, "Patient": true}
	called := make(map[string]bool)
	for _, c := range goldenCalls {
		method, _, _ := strings.Cut(c.name, "(")
		called[method] = true
	}
	drive := reflect.TypeFor[*mmc.Drive]()
	for i := range drive.NumMethod() {
		if name := drive.Method(i).Name; !called[name] && !sendsNothing[name] {
			t.Errorf("Drive.%s has no line in testdata/cdb.txt", name)
		}
	}
}
