package drive_test

import (
	"context"
	"errors"
	"testing"

	"spindle/disc"
	"spindle/drive"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

func pressed(t *testing.T, m disc.Medium, mode disc.Mode, sectors int) disc.Image {
	t.Helper()
	track := disc.Track{Number: 1, Mode: mode, End: disc.LBA(sectors)}
	form := disc.FormRaw
	if mode.IsData() {
		track.Control, form = disc.DataTrack, disc.FormMode1
	}
	if m != disc.CD {
		form = disc.FormBlock
	}
	l := &disc.Layout{Medium: m, Sessions: []disc.Session{{Number: 1, LeadOut: track.End, Tracks: []disc.Track{track}}}}
	img, err := disc.NewExtentImage(l, []disc.Extent{{Count: sectors, Form: form}})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func faults(t *testing.T, texts ...string) []sim.Fault {
	t.Helper()
	var all []sim.Fault
	for _, s := range texts {
		f, err := sim.ParseFault(s)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	return all
}

const both = drive.ForReading | drive.ForWriting

func TestSurvey(t *testing.T) {
	cd, dvd := pressed(t, disc.CD, disc.Mode1, 1000), pressed(t, disc.DVD, disc.Mode1, 5000)
	for name, test := range map[string]struct {
		conf    sim.Config
		parts   drive.Parts
		profile mmc.Profile
		sectors int // of the layout; 0: no contents
		free    bool
	}{
		"CD-ROM":             {sim.Config{Image: cd}, both, mmc.ProfileCDROM, 1000, false},
		"DVD-ROM":            {sim.Config{Image: dvd}, both, mmc.ProfileDVDROM, 5000, false},
		"CD-R":               {sim.Config{Blank: true, Media: "cd-r"}, both, mmc.ProfileCDR, 0, true},
		"DVD+R":              {sim.Config{Blank: true, Media: "dvd+r"}, both, mmc.ProfileDVDPlusR, 0, true},
		"BD-R":               {sim.Config{Blank: true, Media: "bd-r"}, both, mmc.ProfileBDR, 0, true},
		"only for reading":   {sim.Config{Blank: true, Media: "cd-r"}, drive.ForReading, mmc.ProfileCDR, 0, false},
		"only for writing":   {sim.Config{Image: cd}, drive.ForWriting, mmc.ProfileCDROM, 0, false},
		"no configuration":   {sim.Config{Image: cd, Faults: faults(t, "46:1:5/20/00")}, both, mmc.ProfileCDROM, 1000, false},
		"no disc info":       {sim.Config{Image: cd, Faults: faults(t, "51:1:5/20/00")}, both, mmc.ProfileCDROM, 1000, false},
		"no capacity":        {sim.Config{Image: cd, Faults: faults(t, "25:1:5/20/00")}, both, mmc.ProfileCDROM, 1000, false},
		"no full TOC":        {sim.Config{Image: cd, NoFullTOC: true}, both, mmc.ProfileCDROM, 1000, false},
		"attention at first": {sim.Config{Image: cd, Faults: faults(t, "00:1:6/29/00")}, both, mmc.ProfileCDROM, 1000, false},
	} {
		m, err := drive.Survey(context.Background(), mmc.New(sim.New(test.conf)), test.parts)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if m.Profile != test.profile {
			t.Errorf("%s: a %s", name, m.Profile)
		}
		if has := m.Contents != nil; has != (test.sectors > 0) || has && (m.Contents.Layout.Sectors() != test.sectors || m.Contents.ID == "") {
			t.Errorf("%s: %+v", name, m.Contents)
		}
		if has := m.Recording != nil; has != test.free || has && (m.Recording.Free == 0 || !m.Recording.Writes) {
			t.Errorf("%s: %+v", name, m.Recording)
		}
	}
}

func TestSurveyFails(t *testing.T) {
	cd, dvd := pressed(t, disc.CD, disc.Audio, 1000), pressed(t, disc.DVD, disc.Mode1, 5000)
	for name, test := range map[string]struct {
		conf sim.Config
		want error
	}{
		"no disc":      {sim.Config{}, drive.ErrNoMedium},
		"tray open":    {sim.Config{Image: cd, TrayOpen: true}, drive.ErrTrayOpen},
		"no size":      {sim.Config{Image: dvd, Faults: faults(t, "25:1:5/20/00")}, drive.ErrUnreadable},
		"drive gone":   {sim.Config{Blank: true, Media: "dvd-r", Faults: faults(t, "52:1:gone")}, nil},
		"TOC of lies":  {sim.Config{Image: cd, Lie: "leadout"}, drive.ErrTOC},
		"drive leaves": {sim.Config{Image: cd, Faults: faults(t, "43:2:eject")}, nil},
	} {
		_, err := drive.Survey(context.Background(), mmc.New(sim.New(test.conf)), both)
		if err == nil || test.want != nil && !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := drive.Survey(ctx, mmc.New(sim.New(sim.Config{Image: cd})), both); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}
