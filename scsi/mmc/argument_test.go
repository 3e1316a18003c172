package mmc_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"spindle/addr"
	"spindle/scsi"
	"spindle/scsi/mmc"
)

// untouched fails a test when any command arrives.
type untouched struct {
	plain
	t *testing.T
}

func (u untouched) Execute(_ context.Context, c *scsi.Command) (int, error) {
	u.t.Errorf("% x was sent", c.CDB)
	return len(c.Data), nil
}

// What no command can carry is refused before anything is sent.
func TestInvalidArguments(t *testing.T) {
	ctx := context.Background()
	d := mmc.New(untouched{t: t})
	params := func(w mmc.WriteParameters) func() error {
		return func() error { return d.SetWriteParameters(ctx, w) }
	}
	cue := func(e mmc.CueEntry) func() error {
		return func() error { return d.SendCueSheet(ctx, []mmc.CueEntry{e}) }
	}
	readCD := func(size int, r mmc.CDReadRequest) func() error {
		return func() error { _, err := d.ReadCD(ctx, make([]byte, size), r); return err }
	}
	for name, call := range map[string]func() error{
		"write no blocks":                    func() error { return d.Write(ctx, 0, 0, nil) },
		"write a negative number of blocks":  func() error { return d.Write(ctx, 0, -1, make([]byte, 2048)) },
		"write more blocks than data":        func() error { return d.Write(ctx, 0, 70000, nil) },
		"write more blocks than fit":         func() error { return d.Write(ctx, 0, 70000, make([]byte, 70000*96)) },
		"write parts of blocks":              func() error { return d.Write(ctx, 0, 2, make([]byte, 2048*2+1)) },
		"write blocks that are too large":    func() error { return d.Write(ctx, 0, 1, make([]byte, 4096)) },
		"write blocks that are too small":    func() error { return d.Write(ctx, 0, 2048, make([]byte, 4096)) },
		"stream blocks of another size":      func() error { return d.WriteStreaming(ctx, 0, 1, make([]byte, 2352)) },
		"read part of a block":               func() error { _, err := d.Read10(ctx, make([]byte, 2047), 0); return err },
		"read more blocks than fit":          func() error { _, err := d.Read10(ctx, make([]byte, 65536*2048), 0); return err },
		"read nothing":                       func() error { _, err := d.Read12(ctx, nil, 0, 0); return err },
		"READ CD of nothing":                 readCD(0, mmc.CDReadRequest{}),
		"READ CD into parts of sectors":      readCD(2353, mmc.CDReadRequest{Count: 2}),
		"READ CD of more than fit":           readCD(1<<24, mmc.CDReadRequest{Count: 1 << 24}),
		"READ CD of an unknown sector type":  readCD(2352, mmc.CDReadRequest{Count: 1, Expect: 6}),
		"READ CD with unknown C2":            readCD(2352, mmc.CDReadRequest{Count: 1, C2: 3}),
		"READ CD with unknown sub-channel":   readCD(2352, mmc.CDReadRequest{Count: 1, Sub: 5}),
		"ISRC of track 0":                    func() error { _, err := d.ISRC(ctx, 0); return err },
		"ISRC of track 100":                  func() error { _, err := d.ISRC(ctx, 100); return err },
		"information on track 65536":         func() error { _, err := d.TrackInfo(ctx, 65536); return err },
		"close track 65536":                  func() error { return d.Close(ctx, mmc.CloseTrack, 65536, mmc.Wait) },
		"close track -1":                     func() error { return d.Close(ctx, mmc.CloseTrack, -1, mmc.Wait) },
		"an unknown close function":          func() error { return d.Close(ctx, 8, 0, mmc.Wait) },
		"reserve nothing":                    func() error { return d.ReserveTrack(ctx, 0) },
		"an unknown way to blank":            func() error { return d.Blank(ctx, 8, mmc.Wait) },
		"an unknown load action":             func() error { return d.StartStop(ctx, 4) },
		"a format type of seven bits":        func() error { return d.Format(ctx, mmc.FormatRequest{Type: 0x40}, mmc.Wait) },
		"a format sub-type of three bits":    func() error { return d.Format(ctx, mmc.FormatRequest{SubType: 4}, mmc.Wait) },
		"a format parameter of 25 bits":      func() error { return d.Format(ctx, mmc.FormatRequest{Param: 1 << 24}, mmc.Wait) },
		"a negative speed":                   func() error { return d.SetCDSpeed(ctx, -1, 0) },
		"a negative end":                     func() error { return d.SetStreaming(ctx, -1, 0, 0) },
		"a negative streaming speed":         func() error { return d.SetStreaming(ctx, 0, 0, -1) },
		"a layer of 15 blocks":               func() error { return d.SetLayer0Capacity(ctx, 15) },
		"a layer of nothing":                 func() error { return d.SetLayer0Capacity(ctx, 0) },
		"layer 256":                          func() error { _, err := d.DiscStructure(ctx, mmc.StructureDVD, 0, 256); return err },
		"mode page 3Fh":                      func() error { _, err := d.ModePage(ctx, 0x3F); return err },
		"a mode page of nothing":             func() error { return d.SetModePage(ctx, nil) },
		"a mode page that is cut off":        func() error { return d.SetModePage(ctx, []byte{1, 10, 0}) },
		"error recovery that no drive gave":  func() error { return d.SetErrorRecovery(ctx, mmc.ErrorRecovery{}) },
		"a write type of five bits":          params(mmc.WriteParameters{Type: 16}),
		"a multi-session of three bits":      params(mmc.WriteParameters{MultiSession: 4}),
		"a track mode of five bits":          params(mmc.WriteParameters{TrackMode: 16}),
		"a block type of five bits":          params(mmc.WriteParameters{Block: 16}),
		"an MCN of 12 digits":                params(mmc.WriteParameters{MCN: "401234567890"}),
		"an ISRC of 13 characters":           params(mmc.WriteParameters{ISRC: "GBAYE67000012"}),
		"a cue sheet without entries":        func() error { return d.SendCueSheet(ctx, nil) },
		"a cue entry before the pregap":      cue(mmc.CueEntry{ADR: 1, Track: 1, LBA: -151}),
		"a cue entry after 99 minutes":       cue(mmc.CueEntry{ADR: 1, Track: 1, LBA: 449850}),
		"a cue entry with a control of five": cue(mmc.CueEntry{ADR: 1, Control: 16}),
		"a cue entry without ADR":            cue(mmc.CueEntry{}),
		"a cue entry with an MCN of eight":   cue(mmc.CueEntry{ADR: 2, Text: []byte("12345678")}),
		"a cue entry with an ISRC of seven":  cue(mmc.CueEntry{ADR: 3, Track: 1, Text: []byte("1234567")}),
	} {
		if err := call(); !errors.Is(err, mmc.ErrArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// takesHalf is a drive that ends writes early.
type takesHalf struct{ plain }

func (takesHalf) Execute(_ context.Context, c *scsi.Command) (int, error) {
	return len(c.Data) / 2, nil
}

func TestShortWrite(t *testing.T) {
	d := mmc.New(takesHalf{})
	if err := d.Write(t.Context(), 0, 2, make([]byte, 4096)); !errors.Is(err, mmc.ErrShortWrite) {
		t.Error(err)
	}
	if d.MaxTransfer() != scsi.DefaultTransfer {
		t.Error("the limit of the device is lost")
	}
}

func TestFeatureViews(t *testing.T) {
	f := func(code mmc.FeatureCode, data ...byte) *mmc.Feature { return &mmc.Feature{Code: code, Data: data} }
	var none *mmc.Feature
	for _, test := range []struct {
		name      string
		got, want string
	}{
		{"001E", show(f(mmc.FeatureCDRead, 0x82).CDRead()), "{DAP:true C2:true CDText:false}"},
		{"0003", show(f(mmc.FeatureRemovableMedium, 0x39).RemovableMedium()), "{Loading:tray Load:true Eject:true Lock:true}"},
		{"0107", show(f(mmc.FeatureStreaming, 0x13).Streaming()),
			"{BufferBlocks:true SetCDSpeed:false ModePage2A:false WriteSpeeds:true StreamingWrite:true}"},
		{"002D", show(f(mmc.FeatureCDTrackAtOnce, 0x46, 0xFF, 0xFF, 0xFF).CDWrite()),
			"{BufferUnderrunFree:true SessionAtOnce:false Raw:false RawMultiSession:false TestWrite:true CDRW:true SubchannelRW:false MaxCueSheet:0}"},
		{"002E", show(f(mmc.FeatureCDMastering, 0x2B, 0x00, 0x0C, 0x80).CDWrite()),
			"{BufferUnderrunFree:false SessionAtOnce:true Raw:true RawMultiSession:false TestWrite:false CDRW:true SubchannelRW:true MaxCueSheet:3200}"},
		{"002F", show(f(mmc.FeatureDVDRWrite, 0x4E).DVDRWrite()), "{BufferUnderrunFree:true DualLayer:true TestWrite:true Rewritable:true}"},
		{"002F cut", show(f(mmc.FeatureDVDRWrite).DVDRWrite()), "{BufferUnderrunFree:false DualLayer:false TestWrite:false Rewritable:false}"},
		{"002A", show(f(mmc.FeatureDVDPlusRW, 1, 2).DVDPlus()), "{Write:true QuickStart:true CloseOnly:false}"},
		{"002B", show(f(mmc.FeatureDVDPlusR, 1, 2).DVDPlus()), "{Write:true QuickStart:false CloseOnly:false}"},
		{"no 002B", show(none.DVDPlus()), "{Write:false QuickStart:false CloseOnly:false}"},
		{"0021", show(f(mmc.FeatureIncremental, 0xFF, 0xFF, 1, 2, 16, 7).Incremental()), "{BufferUnderrunFree:true LinkSizes:[16 7]}"},
		{"0021 cut", show(f(mmc.FeatureIncremental, 0, 0, 0, 200, 16).Incremental()), "{BufferUnderrunFree:false LinkSizes:[16]}"},
		{"0010", show(f(mmc.FeatureRandomReadable, 0, 0, 8, 0, 0, 16, 1).RandomReadable()), "{BlockSize:2048 Blocking:16 PagePP:true}"},
		{"0108", f(mmc.FeatureSerialNumber, 'A', 'B', ' ', 0).Text(), "AB"},
		{"no 0108", none.Text(), ""},
		{"0001", f(mmc.FeatureCore, 0, 0, 0, 7).Interface(), "SATA"},
		{"0001 of tomorrow", f(mmc.FeatureCore, 0, 0, 0, 99).Interface(), ""},
	} {
		if test.got != test.want {
			t.Errorf("feature %s:\n got %s\nwant %s", test.name, test.got, test.want)
		}
	}
	c := mmc.Configuration{Features: []mmc.Feature{{Code: mmc.FeatureCDRead, Current: true}, {Code: mmc.FeatureDVDRead}}}
	if !c.Has(mmc.FeatureCDRead) || c.Has(mmc.FeatureDVDRead) || c.Has(mmc.FeatureBDRead) || c.Feature(mmc.FeatureBDRead) != nil {
		t.Error("features that are absent, or not current, are taken for current")
	}
}

// Numbers without a name print as numbers, and all names differ from that.
func TestNames(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{mmc.ProfileDVDPlusRDL.String(), "DVD+R DL"}, {mmc.Profile(0xFFFF).String(), "profile FFFFh"},
		{mmc.FeatureDVDRWrite.String(), "DVD-R/-RW write"}, {mmc.FeatureCode(0xFF00).String(), "feature FF00h"},
		{mmc.BookDVDPlusR.String(), "DVD+R"}, {mmc.BookType(7).String(), "book type 07h"},
		{mmc.FormatBDR.String(), "BD-R with spare areas"}, {mmc.FormatType(0x24).String(), "format type 24h"},
		{mmc.ProtectionCPRM.String(), "CPRM"}, {mmc.Protection(16).String(), "protection 10h"},
		{mmc.LoadingTray.String(), "tray"}, {mmc.LoadingMechanism(7).String(), "loading mechanism 07h"},
		{mmc.MediaRemoval.String(), "medium removed"}, {mmc.MediaEventCode(15).String(), "media event 0Fh"},
		{mmc.SessionXA.String(), "CD-ROM XA"}, {mmc.SessionFormat(0x30).String(), "session format 30h"},
		{mmc.RegionPermanent.String(), "permanent"}, {mmc.BackgroundRunning.String(), "running"}, {mmc.DiscOther.String(), "overwritable"},
	} {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
	for p := range mmc.Profile(0x50) {
		named := !strings.HasPrefix(p.String(), "profile")
		if named && p > mmc.ProfileRemovable && !p.IsCD() && !p.IsDVD() && !p.IsBD() {
			t.Errorf("%s is of no family", p)
		}
	}
	if mmc.C2Bits.Size() != 294 || mmc.C2AndBlock.Size() != 296 || mmc.RawSub.Size() != 96 || mmc.QSub.Size() != 16 || mmc.NoSub.Size() != 0 {
		t.Error("the sizes of C2 and sub-channel are wrong")
	}
	e := mmc.FullTOCEntry{PMSF: addr.MSF{M: 91, S: 0, F: 0}}
	if got := e.LBA(); got != 91*60*75-150 {
		t.Errorf("a lead-out at 91 minutes is at %d", got)
	}
}

// The entry of a lead-in states where it begins, as its time, or nothing.
func TestLeadInEntry(t *testing.T) {
	for at, want := range map[addr.LBA][8]byte{
		0:      {0x01, 0, 0, 0x41},
		-11635: {0x01, 0, 0, 0x41, 0, 97, 26, 65},
	} {
		e := mmc.CueEntry{ADR: 1, Form: mmc.FormLeadInText, LBA: at}
		if got := e.Encode(); got != want {
			t.Errorf("%d: % X, want % X", at, got, want)
		}
	}
}
