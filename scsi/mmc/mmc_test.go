package mmc_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"time"

	"spindle/disc"
	"spindle/drive"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// bytesDevice answers everything with the same bytes.
type bytesDevice struct {
	plain
	b     []byte
	extra int // claimed beyond what came
}

func (d bytesDevice) Execute(_ context.Context, c *scsi.Command) (int, error) {
	if c.Direction != scsi.In {
		return len(c.Data), nil
	}
	return copy(c.Data, d.b) + d.extra, nil
}

// everything sends every command whose answer is decoded.
func everything(d *mmc.Drive) map[string]error {
	ctx := context.Background()
	errs := make(map[string]error)
	note := func(name string, err error) { errs[name] = err }
	_, err := d.Inquiry(ctx)
	note("Inquiry", err)
	_, err = d.SerialNumber(ctx)
	note("SerialNumber", err)
	_, err = d.RequestSense(ctx)
	note("RequestSense", err)
	_, err = d.MediaEvent(ctx)
	note("MediaEvent", err)
	_, err = d.MechanismStatus(ctx)
	note("MechanismStatus", err)
	_, err = d.RegionState(ctx)
	note("RegionState", err)
	c, err := d.Configuration(ctx)
	note("Configuration", err)
	if c != nil {
		for i := range c.Features {
			f := &c.Features[i]
			f.CDRead()
			f.CDWrite()
			f.RandomReadable()
			f.RemovableMedium()
			f.Streaming()
			f.DVDRWrite()
			f.DVDPlus()
			f.Incremental()
			_ = f.Text() + f.Interface() + f.Code.String()
		}
	}
	_, err = d.TOC(ctx)
	note("TOC", err)
	_, err = d.SessionInfo(ctx)
	note("SessionInfo", err)
	_, err = d.FullTOC(ctx)
	note("FullTOC", err)
	_, err = d.ATIP(ctx)
	note("ATIP", err)
	_, err = d.CDText(ctx)
	note("CDText", err)
	_, err = d.DiscInfo(ctx)
	note("DiscInfo", err)
	_, err = d.TrackInfo(ctx, 1)
	note("TrackInfo", err)
	_, err = d.Capacity(ctx)
	note("Capacity", err)
	_, err = d.FormatCapacities(ctx)
	note("FormatCapacities", err)
	_, err = d.ErrorRecovery(ctx)
	note("ErrorRecovery", err)
	_, err = d.Capabilities(ctx)
	note("Capabilities", err)
	_, err = d.MCN(ctx)
	note("MCN", err)
	_, err = d.ISRC(ctx, 1)
	note("ISRC", err)
	_, err = d.DVDPhysical(ctx)
	note("DVDPhysical", err)
	_, err = d.DVDCopyright(ctx)
	note("DVDCopyright", err)
	_, err = d.LayerCapacity(ctx)
	note("LayerCapacity", err)
	_, err = d.BufferCapacity(ctx)
	note("BufferCapacity", err)
	l, err := d.BDInfo(ctx)
	note("BDInfo", err)
	mmc.BDLayerBreak(l)
	_, err = d.ReadPerformance(ctx)
	note("ReadPerformance", err)
	_, err = d.WritePerformance(ctx)
	note("WritePerformance", err)
	_, err = d.WriteSpeeds(ctx)
	note("WriteSpeeds", err)
	return errs
}

// A drive that answers nothing at all is an error everywhere.
func TestNoAnswer(t *testing.T) {
	for name, err := range everything(mmc.New(bytesDevice{})) {
		if err == nil {
			t.Errorf("%s takes no answer for one", name)
		}
	}
}

// A drive that claims more than the buffer holds must not lead outside of it.
func TestOverlongRepliesDoNotPanic(t *testing.T) {
	everything(mmc.New(bytesDevice{b: bytes.Repeat([]byte{0xFF}, 1<<16), extra: 1000}))
	everything(mmc.New(bytesDevice{b: bytes.Repeat([]byte{0x00}, 1<<16), extra: 1000}))
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte{0, 18, 1, 2, 0, 0x14, 1, 0})
	f.Add(binary.BigEndian.AppendUint32(nil, 0xFFFFFFFF))
	f.Add(append([]byte{0, 62, 0, 0}, "DI\x01\x00\x00\x00\x40\x00BDO"...))
	f.Fuzz(func(t *testing.T, b []byte) { everything(mmc.New(bytesDevice{b: b})) })
}

// image is a small CD of the simulator.
func image(t *testing.T, mode disc.Mode) disc.Image {
	t.Helper()
	ctl := disc.Control(0)
	if mode.IsData() {
		ctl = disc.DataTrack
	}
	l := &disc.Layout{MCN: "4012345678901", Sessions: []disc.Session{{Number: 1, LeadOut: 1000, Tracks: []disc.Track{
		{Number: 1, Mode: mode, Control: ctl, ISRC: "GBAYE6700001", End: 1000},
	}}}}
	form := disc.FormRaw
	if mode.IsData() {
		form = disc.FormMode1
	}
	img, err := disc.NewExtentImage(l, []disc.Extent{{Count: 1000, Form: form}})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestAgainstTheSimulator(t *testing.T) {
	ctx := context.Background()
	d := mmc.New(sim.New(sim.Config{Image: image(t, disc.Audio)}))
	if err := drive.WaitReady(ctx, d, time.Minute); err != nil {
		t.Fatal(err)
	}
	c, err := d.Configuration(ctx)
	if err != nil || c.Profile != mmc.ProfileCDROM || !c.Has(mmc.FeatureCDRead) || c.Has(mmc.FeatureDVDRead) {
		t.Errorf("%+v, %v", c, err)
	}
	if !c.Feature(mmc.FeatureCDRead).CDRead().C2 || c.Feature(mmc.FeatureSerialNumber).Text() == "" {
		t.Error("features are not decoded")
	}
	toc, err := d.TOC(ctx)
	if err != nil || toc.First != 1 || len(toc.Entries) != 2 || toc.Entries[1].LBA != 1000 || toc.Entries[1].Track != mmc.LeadOutTrack {
		t.Errorf("%+v, %v", toc, err)
	}
	if mcn, err := d.MCN(ctx); err != nil || mcn != "4012345678901" {
		t.Errorf("%q, %v", mcn, err)
	}
	if isrc, err := d.ISRC(ctx, 1); err != nil || isrc != "GBAYE6700001" {
		t.Errorf("%q, %v", isrc, err)
	}
	r, err := d.ErrorRecovery(ctx)
	if err != nil {
		t.Fatal(err)
	}
	r.TransferBlock, r.ReadRetries = true, 3
	if err := d.SetErrorRecovery(ctx, r); err != nil {
		t.Fatal(err)
	}
	if r, err = d.ErrorRecovery(ctx); err != nil || !r.TransferBlock || r.ReadRetries != 3 {
		t.Errorf("%+v, %v", r, err)
	}
	caps, err := d.Capabilities(ctx)
	if err != nil || !caps.C2 || caps.BufferSize != 2048 || caps.MaxReadSpeed < 9000 {
		t.Errorf("%+v, %v", caps, err)
	}
	buf := make([]byte, 2352)
	if _, err := d.ATIP(ctx); drive.Classify(err) != drive.Refused {
		t.Errorf("a pressed disc has an ATIP: %v", err)
	}
	if _, err := d.ReadCD(ctx, buf, mmc.CDReadRequest{Count: 0}); !errors.Is(err, mmc.ErrArgument) {
		t.Errorf("no sectors: %v", err)
	}
}

// plain gives test devices the parts of scsi.Device that most do not care about.
type plain struct{}

func (plain) MaxTransfer() int  { return scsi.DefaultTransfer }
func (plain) Clock() scsi.Clock { return scsi.SystemClock{} }

func TestLayerBreak(t *testing.T) {
	for _, test := range []struct {
		p    mmc.DVDPhysical
		want int64
	}{
		{mmc.DVDPhysical{Layers: 1, Start: 0x30000, End: 0x40000}, 0},
		{mmc.DVDPhysical{Layers: 2, Opposite: true, Start: 0x30000, End: 0xFDFFFF, Layer0End: 0x21FFFF}, 0x1F0000},
		{mmc.DVDPhysical{Layers: 2, Start: 0x30000, End: 0x21FFFF}, 0x1F0000},
		{mmc.DVDPhysical{Layers: 2, Opposite: true, Start: 0x30000, Layer0End: 5}, 0},
	} {
		if got := test.p.LayerBreak(); got != test.want {
			t.Errorf("%+v: %#x, want %#x", test.p, got, test.want)
		}
	}
}

func Example() {
	// A drive may be real (scsi.Open) or simulated.
	drive := mmc.New(sim.New(sim.Config{}))
	q, err := drive.Inquiry(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(q.Vendor, q.Product, q.DeviceType)
	// Output: SPINDLE SIMULATED DRIVE 5
}
