package console

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// The geometry of a chart, in units of its view box.
const (
	chartWidth, chartHeight = 720, 220
	chartLeft, chartTop     = 92, 12
	chartRight              = chartWidth - 24 // half of the last day's label
	chartBottom             = 28              // below the bars, for the days
	gridLines               = 4
)

// series is one kind of bar: a value for each day.
type series struct {
	Name   string
	Class  string // of the bars, in the style sheet
	Values []int64
}

// chart is a bar chart by day, drawn on the server. Its numbers are in its label
// for those who do not see it, and in a table for everybody.
type chart struct {
	Title  string
	ID     string
	Label  string // all numbers that are not 0
	Days   []time.Time
	Series []series
	Format func(int64) string // a value with its unit
	Empty  bool

	Bars []bar
	Grid []gridLine
	Axis []axisLabel
	Zero float64
}

type bar struct {
	X, Y, Width, Height float64
	Class, Title        string
}

type gridLine struct {
	Y    float64
	Text string
}

type axisLabel struct {
	X    float64
	Text string
}

// newChart draws the series, each of which has a value for each day.
func newChart(id, title string, days []time.Time, format func(int64) string, list ...series) chart {
	c := chart{ID: id, Title: title, Days: days, Series: list, Format: format, Empty: true}
	lowest, highest := int64(0), int64(0)
	for _, s := range list {
		for _, v := range s.Values {
			lowest, highest = min(lowest, v), max(highest, v)
			c.Empty = c.Empty && v == 0
		}
	}
	c.Label = c.describe()
	if c.Empty || len(days) == 0 {
		return c
	}
	// Only where the pixels are is computed with floats; every number that is
	// written comes from the integer.
	step := niceStep((float64(highest) - float64(lowest)) / gridLines)
	bottom, top := math.Floor(float64(lowest)/step)*step, math.Ceil(float64(highest)/step)*step
	y := func(v float64) float64 {
		return round(chartTop + (top-v)/(top-bottom)*(chartHeight-chartTop-chartBottom))
	}
	for v := bottom; v <= top+step/2; v += step {
		c.Grid = append(c.Grid, gridLine{y(v), format(int64(v))})
	}
	c.Zero = y(0)
	slot := float64(chartRight-chartLeft) / float64(len(days))
	width := slot * 0.8 / float64(len(list))
	for i, day := range days {
		left := chartLeft + float64(i)*slot + slot*0.1
		for k, s := range list {
			v := s.Values[i]
			if v == 0 {
				continue
			}
			from, to := y(max(float64(v), 0)), y(min(float64(v), 0))
			c.Bars = append(c.Bars, bar{
				X: round(left + float64(k)*width), Y: from, Width: round(width), Height: max(round(to-from), 1), Class: s.Class,
				Title: fmt.Sprintf("%s: %s %s", day.Format(time.DateOnly), s.Name, format(v)),
			})
		}
		if (len(days)-1-i)%7 == 0 {
			c.Axis = append(c.Axis, axisLabel{round(left + slot*0.4), day.Format("Jan 2")})
		}
	}
	return c
}

// describe says every number that is not 0.
func (c chart) describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.", c.Title)
	if c.Empty {
		return b.String() + " Nothing yet."
	}
	for _, s := range c.Series {
		total := int64(0)
		var days []string
		for i, v := range s.Values {
			total += v
			if v != 0 {
				days = append(days, c.Days[i].Format(time.DateOnly)+" "+c.Format(v))
			}
		}
		fmt.Fprintf(&b, " %s: %s in all", s.Name, c.Format(total))
		if len(days) > 0 {
			fmt.Fprintf(&b, " (%s)", strings.Join(days, ", "))
		}
		b.WriteByte('.')
	}
	return b.String()
}

// Rows are the days that have a value, for the table, newest first.
func (c chart) Rows() []chartRow {
	var rows []chartRow
	for i := len(c.Days) - 1; i >= 0; i-- {
		row := chartRow{Day: c.Days[i]}
		seen := false
		for _, s := range c.Series {
			row.Values = append(row.Values, c.Format(s.Values[i]))
			seen = seen || s.Values[i] != 0
		}
		if seen {
			rows = append(rows, row)
		}
	}
	return rows
}

type chartRow struct {
	Day    time.Time
	Values []string
}

// ViewBox is the chart's, for the template.
func (chart) ViewBox() string { return fmt.Sprintf("0 0 %d %d", chartWidth, chartHeight) }

// Left, Right and Bottom are where the axes are.
func (chart) Left() int     { return chartLeft }
func (chart) Right() int    { return chartRight }
func (chart) Bottom() int   { return chartHeight - 8 }
func (chart) GridText() int { return chartLeft - 8 }

// niceStep is the least 1, 2 or 5 times a power of ten that is not below x, and a
// whole number.
func niceStep(x float64) float64 {
	if x <= 1 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= x {
			return m * power
		}
	}
	return 10 * power
}

func round(x float64) float64 { return math.Round(x*100) / 100 }

// meter is a bar that fills: how much of a whole is used.
type meter struct {
	Used, Whole string  // with their units
	Width       float64 // of 100
	Percent     string
	Full        bool
}

// newMeter shows used of whole; both are in the same unit.
func newMeter(used, whole int64, format func(int64) string) meter {
	m := meter{Used: format(used), Whole: format(whole), Full: used >= whole}
	part := 1.0
	if whole > 0 {
		part = float64(used) / float64(whole)
	}
	m.Width = round(min(max(part, 0), 1) * 100)
	percent := math.Floor(part * 100) // 99.9 % is not 100 %
	m.Percent = fmt.Sprintf("%.0f %%", percent)
	if percent == 0 && used > 0 {
		m.Percent = "below 1 %"
	}
	return m
}

// Label says what the bar shows.
func (m meter) Label() string { return fmt.Sprintf("%s of %s used, %s", m.Used, m.Whole, m.Percent) }
