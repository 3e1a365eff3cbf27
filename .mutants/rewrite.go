package main

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/packages"
)

// change is one that a run can switch on.
type change struct {
	n        int
	file     string // from the root of the module
	line     int
	function string
	kind     string
	what     string
}

func (c change) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", c.file, c.line, c.function, c.what)
}

// key names the change without its line, for the list of equivalent ones.
func (c change) key() string { return c.file + ": " + c.function + ": " + c.what }

//go:embed switch.go.txt
var switches string

// rewriter puts all changes into the files of some packages, each behind a switch.
type rewriter struct {
	root    string
	changes []change

	// of the package and the file that it is in
	info    *types.Info
	fset    *token.FileSet
	pkg     *types.Package
	src     []byte
	file    string
	parents map[ast.Node]ast.Node
	inserts map[int]string // by offset
	cuts    map[int]int    // lengths, by offset
	imports map[string]string
	locks   map[string]int
}

// rewrite writes the files of the packages, with switches, into dir. It returns the overlay that
// puts them in the places of the real ones.
func (r *rewriter) rewrite(dir string, patterns ...string) (map[string]string, error) {
	pkgs, err := packages.Load(&packages.Config{Dir: r.root, Mode: packages.LoadSyntax}, patterns...)
	if err != nil {
		return nil, err
	}
	overlay := map[string]string{}
	add := func(path, text string) error {
		name := filepath.Join(dir, fmt.Sprintf("%d_%s", len(overlay), filepath.Base(path)))
		overlay[path] = name
		return os.WriteFile(name, []byte(text), 0o600)
	}
	for _, p := range pkgs {
		if len(p.Errors) > 0 {
			return nil, p.Errors[0]
		}
		r.info, r.fset, r.pkg = p.TypesInfo, p.Fset, p.Types
		if err := add(filepath.Join(p.Dir, "mutants_switch.go"), "package "+p.Name+"\n"+switches); err != nil {
			return nil, err
		}
		for i, f := range p.Syntax {
			path := p.CompiledGoFiles[i]
			text, err := r.rewriteFile(path, f)
			if err != nil {
				return nil, err
			}
			if err := add(path, text); err != nil {
				return nil, err
			}
		}
	}
	return overlay, nil
}

func (r *rewriter) rewriteFile(path string, f *ast.File) (text string, err error) {
	if r.src, err = os.ReadFile(path); err != nil {
		return "", err
	}
	if r.file, err = filepath.Rel(r.root, path); err != nil {
		return "", err
	}
	r.parents, r.inserts, r.cuts = map[ast.Node]ast.Node{}, map[int]string{}, map[int]int{}
	r.imports, r.locks = map[string]string{}, map[string]int{}
	var nodes, stack []ast.Node
	ast.Inspect(f, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		if len(stack) > 0 {
			r.parents[n] = stack[len(stack)-1]
		}
		nodes, stack = append(nodes, n), append(stack, n)
		return true
	})
	for _, n := range slices.Backward(nodes) { // what is inside comes first
		if r.runs(n) {
			r.visit(n)
		}
	}
	var b strings.Builder
	for i := 0; i < len(r.src); {
		b.WriteString(r.inserts[i])
		if n := r.cuts[i]; n > 0 {
			i += n
			continue
		}
		b.WriteByte(r.src[i])
		i++
	}
	var imports string
	for path, name := range r.imports {
		imports += fmt.Sprintf("; import %s %q", name, path)
	}
	end := r.offset(f.Name.End())
	return b.String()[:end] + imports + b.String()[end:], nil
}

// runs reports whether the node is in the body of a function.
func (r *rewriter) runs(n ast.Node) bool {
	for child, p := n, r.parents[n]; p != nil; child, p = p, r.parents[p] {
		switch p := p.(type) {
		case *ast.FuncLit:
			return child == p.Body
		case *ast.FuncDecl:
			return child == p.Body
		case *ast.GenDecl:
			if p.Tok == token.CONST {
				return false
			}
		case *ast.ArrayType:
			return false
		}
	}
	return false
}

func (r *rewriter) visit(n ast.Node) {
	switch n := n.(type) {
	case *ast.ExprStmt:
		if call, ok := n.X.(*ast.CallExpr); ok && r.text(call.Fun) != "panic" {
			r.dropCall(n, call)
		}
	case *ast.DeferStmt:
		r.dropCall(n, n.Call)
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE && r.text(n.Lhs[0]) != "_" {
			r.drop(n, "assignment")
		}
	case *ast.IncDecStmt:
		r.drop(n, "assignment")
	case *ast.BinaryExpr:
		r.operator(n)
	case *ast.CallExpr:
		r.call(n)
	}
	if e, ok := n.(ast.Expr); ok {
		r.query(e)
		r.condition(e)
	}
}

// condition makes a condition true, and false. Of a && b, b alone is "a is true", and of a || b
// "a is false"; so they need no other change.
func (r *rewriter) condition(e ast.Expr) {
	tv, ok := r.info.Types[e]
	if !ok || !tv.IsValue() || tv.Value != nil || !types.Identical(types.Default(tv.Type), types.Typ[types.Bool]) {
		return
	}
	if _, isParen := e.(*ast.ParenExpr); isParen {
		return
	}
	asTrue, asFalse := true, true
	switch p := r.around(e).(type) {
	case *ast.ExprStmt, *ast.DeferStmt, *ast.GoStmt, *ast.ValueSpec:
		return
	case *ast.UnaryExpr:
		if p.Op == token.NOT || p.Op == token.AND {
			return
		}
	case *ast.BinaryExpr:
		asTrue, asFalse = p.Op != token.LOR, p.Op != token.LAND
		if p.Op != token.LAND && p.Op != token.LOR {
			return
		}
	case *ast.ForStmt:
		asTrue = false // it would never end
	case *ast.IfStmt, *ast.CaseClause:
	case *ast.AssignStmt:
		if slices.Contains(p.Lhs, e) || plain(e) {
			return
		}
	default:
		if plain(e) {
			return
		}
	}
	kind := "condition"
	if whole, isPair := e.(*ast.BinaryExpr); isPair {
		switch {
		case whole.Op == token.LAND:
			asTrue = false
		case whole.Op == token.LOR:
			asFalse = false
		case r.text(whole.Y) == "nil" && types.Identical(r.info.TypeOf(whole.X), types.Universe.Lookup("error").Type()):
			kind = "error"
			asTrue, asFalse = whole.Op == token.EQL, whole.Op == token.NEQ
		}
	}
	if asFalse {
		r.wrap(e, fmt.Sprintf("mutantAnd(%d, ", r.add(e, kind, r.text(e)+" → false")), ")")
	}
	if asTrue {
		r.wrap(e, fmt.Sprintf("mutantOr(%d, ", r.add(e, kind, r.text(e)+" → true")), ")")
	}
}

// around is what an expression is in, parentheses aside.
func (r *rewriter) around(e ast.Expr) ast.Node {
	p := r.parents[e]
	for {
		paren, ok := p.(*ast.ParenExpr)
		if !ok {
			return p
		}
		p = r.parents[paren]
	}
}

// plain are the expressions that only name a value.
func plain(e ast.Expr) bool {
	switch e.(type) {
	case *ast.Ident, *ast.SelectorExpr, *ast.IndexExpr, *ast.StarExpr, *ast.TypeAssertExpr:
		return true
	}
	return false
}

// operators are what stands for an operator, and what it becomes.
var operators = map[token.Token]struct{ function, other, kind string }{
	token.LSS: {"mutantLess", "<=", "bound"},
	token.LEQ: {"mutantLessEqual", "<", "bound"},
	token.GTR: {"mutantGreater", ">=", "bound"},
	token.GEQ: {"mutantGreaterEqual", ">", "bound"},
	token.ADD: {"mutantAdd", "-", "sum"},
	token.SUB: {"mutantSub", "+", "sum"},
}

func (r *rewriter) operator(e *ast.BinaryExpr) {
	op, ok := operators[e.Op]
	if !ok || r.info.Types[e].Value != nil || r.sizes(e) {
		return
	}
	of := types.Default(r.info.TypeOf(e.X))
	if _, generic := of.(*types.TypeParam); generic {
		return
	}
	if b, ok := of.Underlying().(*types.Basic); op.kind == "sum" && (!ok || b.Info()&types.IsNumeric == 0) {
		return
	}
	n := r.add(e, op.kind, fmt.Sprintf("%s → %s %s %s", r.text(e), r.text(e.X), op.other, r.text(e.Y)))
	r.wrap(e, fmt.Sprintf("%s(%d, ", op.function, n), ")")
	r.replace(e.OpPos, e.OpPos+token.Pos(len(e.Op.String())), ",")
}

// sizes reports whether the value is only a hint of how much memory is needed.
func (r *rewriter) sizes(e ast.Node) bool {
	for p := r.parents[e]; p != nil; p = r.parents[p] {
		if call, ok := p.(*ast.CallExpr); ok && (r.text(call.Fun) == "make" || strings.HasSuffix(r.text(call.Fun), ".Grow")) {
			return true
		}
		if _, ok := p.(ast.Stmt); ok {
			return false
		}
	}
	return false
}

func (r *rewriter) call(c *ast.CallExpr) {
	if len(c.Args) == 2 && !r.sizes(c) && r.info.Types[c].Value == nil {
		if f, ok := c.Fun.(*ast.Ident); ok && (f.Name == "min" || f.Name == "max") {
			other := map[string]string{"min": "max", "max": "min"}[f.Name]
			n := r.add(c, "bound", r.text(c)+" → "+other)
			r.replace(f.Pos(), c.Args[0].Pos(), fmt.Sprintf("mutant%s%s(%d, ", strings.ToUpper(f.Name[:1]), f.Name[1:], n))
			return
		}
	}
	signature, ok := types.Unalias(r.info.TypeOf(c.Fun)).(*types.Signature)
	if fun := r.info.Types[c.Fun]; !ok || fun.IsType() || fun.IsBuiltin() || signature.Results().Len() != 1 {
		return
	}
	switch r.parents[c].(type) {
	case *ast.ExprStmt, *ast.DeferStmt, *ast.GoStmt: // which are left out; what is deferred must not run before
		return
	}
	result := r.info.TypeOf(c)
	method, isMethod := c.Fun.(*ast.SelectorExpr)
	name := r.text(c.Fun)
	if isMethod {
		name = method.Sel.Name
	}
	switch {
	case name == "Compare":
		r.wrap(c, fmt.Sprintf("mutantBackwards(%d, ", r.add(c, "order", r.text(c)+" → backwards")), ")")
	case isMethod && (name == "Before" || name == "After") && r.info.TypeOf(method.X).String() == "time.Time":
		n := r.add(c, "bound", r.text(c)+" → or equal")
		r.wrap(c, fmt.Sprintf("mutant%s(%d, ", name, n), "")
		r.replace(method.X.End(), c.Args[0].Pos(), ", ")
	case len(c.Args) == 1 && !signature.Variadic() && r.info.Types[c.Args[0]].Value == nil &&
		types.Identical(result, r.info.TypeOf(c.Args[0])) && types.Identical(result, signature.Params().At(0).Type()):
		kind := "value"
		if name == "Clone" {
			kind = "clone"
		}
		n := r.add(c, kind, r.text(c)+" → "+r.text(c.Args[0]))
		r.wrap(c, fmt.Sprintf("mutantCall(%d, ", n), "")
		r.replace(c.Lparen, c.Lparen+1, ", ")
	case isMethod && r.info.Selections[method] != nil && types.Identical(result, r.info.TypeOf(method.X)) && types.Identical(result, signatureOf(r.info.Selections[method])):
		kind := map[string]string{"For": "lock", "Order": "order", "OrderExpr": "order", "Where": "condition"}[name]
		if kind == "" {
			kind = "value"
		}
		of := types.TypeString(result, r.qualify)
		what := "without ." + name + short(string(r.src[r.offset(c.Lparen):r.offset(c.End())]))
		r.wrap(c, fmt.Sprintf("mutantStep(%d, ", r.add(c, kind, what)), " })")
		r.inserts[r.offset(method.X.End())] += fmt.Sprintf(", func(mutant %s) %s { return mutant", of, of)
	}
}

// signatureOf is the type that a method is declared on.
func signatureOf(s *types.Selection) types.Type {
	if f, ok := s.Obj().(*types.Func); ok && s.Kind() == types.MethodVal {
		return f.Signature().Recv().Type()
	}
	return nil
}

// qualify names a package that the file may not import under its own name.
func (r *rewriter) qualify(p *types.Package) string {
	if p == r.pkg {
		return ""
	}
	name := "mutant_" + p.Name()
	r.imports[p.Path()] = name
	return name
}

// queries are changes of statements in SQL.
var queries = []struct {
	kind string
	of   *regexp.Regexp
	by   string
}{
	{"bound", regexp.MustCompile(` <= `), " < "},
	{"bound", regexp.MustCompile(` >= `), " > "},
	{"bound", regexp.MustCompile(` < `), " <= "},
	{"bound", regexp.MustCompile(` > `), " >= "},
	{"condition", regexp.MustCompile(` AND `), " OR "},
	{"condition", regexp.MustCompile(` OR `), " AND "},
	{"condition", regexp.MustCompile(` <> `), " = "},
	{"condition", regexp.MustCompile(`\bIS NOT NULL\b`), "IS NULL"},
	{"condition", regexp.MustCompile(`\bIS NULL\b`), "IS NOT NULL"},
	{"condition", regexp.MustCompile(`\bNOT EXISTS\b`), "EXISTS"},
	{"condition", regexp.MustCompile(`\bLEFT JOIN\b`), "JOIN"},
	{"condition", regexp.MustCompile(`\bDISTINCT `), ""},
	{"condition", regexp.MustCompile(`\bUNION ALL\b`), "UNION"},
	{"order", regexp.MustCompile(` DESC\b`), ""},
	{"order", regexp.MustCompile(` NULLS (FIRST|LAST)`), ""},
	{"order", regexp.MustCompile(`ORDER BY (\w[\w.]*|\d)( DESC)?(, \w[\w.]*( DESC)?)*`), ""},
	{"order", regexp.MustCompile(` COLLATE "C"`), ""},
	{"bound", regexp.MustCompile(` LIMIT 1\b`), ""},
	{"lock", regexp.MustCompile(` FOR (NO KEY )?(UPDATE|SHARE)( OF \w+)?`), ""},
	{"lock", regexp.MustCompile(` SKIP LOCKED`), ""},
	{"conflict", regexp.MustCompile(`(ON )?CONFLICT[^?;]*?DO NOTHING`), ""},
	{"conflict", regexp.MustCompile(`DO UPDATE SET [^?]*?( RETURNING.*| WHERE.*|$)`), "DO NOTHING$1"},
	{"sum", regexp.MustCompile(` \+ `), " - "},
	{"sum", regexp.MustCompile(` - `), " + "},
	{"bound", regexp.MustCompile(`\bgreatest\(`), "least("},
	{"bound", regexp.MustCompile(`\bleast\(`), "greatest("},
	{"bound", regexp.MustCompile(`\bmin\(`), "max("},
	{"bound", regexp.MustCompile(`\bmax\(`), "min("},
}

var sql = regexp.MustCompile(`\?|\b[A-Z]{2,} |\bt\.`)

// query changes the SQL in a constant text.
func (r *rewriter) query(e ast.Expr) {
	v := r.info.Types[e].Value
	if v == nil || v.Kind() != constant.String || !types.Identical(types.Default(r.info.TypeOf(e)), types.Typ[types.String]) {
		return
	}
	if p, ok := r.parents[e].(ast.Expr); ok && r.info.Types[p].Value != nil {
		return // the whole has its turn
	}
	text := constant.StringVal(v)
	if !sql.MatchString(text) {
		return
	}
	var others []string
	first := 0
	for _, q := range queries {
		for _, at := range q.of.FindAllStringSubmatchIndex(text, -1) {
			by := string(q.of.ExpandString(nil, q.by, text, at))
			around := text[max(0, at[0]-25):at[0]] + "«" + text[at[0]:at[1]] + "»" + text[at[1]:min(len(text), at[1]+25)]
			n := r.add(e, q.kind, fmt.Sprintf("SQL %s → %q", short(strings.ToValidUTF8(around, "")), by))
			if first == 0 {
				first = n
			}
			others = append(others, strconv.Quote(text[:at[0]]+by+text[at[1]:]))
		}
	}
	if first > 0 {
		r.wrap(e, fmt.Sprintf("mutantText(%d, ", first), ", "+strings.Join(others, ", ")+")")
	}
}

// dropCall leaves a call out. A lock goes with its unlocks.
func (r *rewriter) dropCall(s ast.Stmt, call *ast.CallExpr) {
	name := r.text(call.Fun)
	of := ""
	if i := strings.LastIndex(name, "."); i >= 0 {
		of, name = name[:i], name[i+1:]
	}
	if strings.HasSuffix(strings.ToLower(name), "lock") {
		key := r.function(s) + " " + of
		if _, ok := r.locks[key]; !ok {
			r.locks[key] = r.add(s, "lock", "without the locks of "+of)
		}
		r.guard(s, r.locks[key])
		return
	}
	kind := "statement"
	if strings.HasPrefix(name, "Sort") || name == "Reverse" {
		kind = "order"
	}
	r.drop(s, kind)
}

func (r *rewriter) drop(s ast.Stmt, kind string) {
	switch r.parents[s].(type) {
	case *ast.BlockStmt, *ast.CaseClause:
		r.guard(s, r.add(s, kind, "without "+r.text(s)))
	}
}

func (r *rewriter) guard(s ast.Stmt, n int) { r.wrap(s, fmt.Sprintf("if !mutantIs(%d) { ", n), " }") }

// add numbers a change.
func (r *rewriter) add(at ast.Node, kind, what string) int {
	c := change{len(r.changes) + 1, r.file, r.fset.Position(at.Pos()).Line, r.function(at), kind, what}
	r.changes = append(r.changes, c)
	return c.n
}

// function names the function that the node is in.
func (r *rewriter) function(n ast.Node) string {
	for ; n != nil; n = r.parents[n] {
		if f, ok := n.(*ast.FuncDecl); ok {
			if f.Recv == nil {
				return f.Name.Name
			}
			return strings.TrimLeft(r.text(f.Recv.List[0].Type), "*") + "." + f.Name.Name
		}
	}
	return "var"
}

func (r *rewriter) wrap(n ast.Node, before, after string) {
	from, to := r.offset(n.Pos()), r.offset(n.End())
	r.inserts[from] = before + r.inserts[from]
	r.inserts[to] += after
}

func (r *rewriter) replace(from, to token.Pos, by string) {
	at := r.offset(from)
	r.inserts[at] += by
	r.cuts[at] = r.offset(to) - at
}

func (r *rewriter) offset(p token.Pos) int { return r.fset.Position(p).Offset }

func (r *rewriter) text(n ast.Node) string {
	return short(string(r.src[r.offset(n.Pos()):r.offset(n.End())]))
}

// short is a text in one line of bounded length.
func short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > 90 {
		return string(runes[:60]) + "…" + string(runes[len(runes)-25:])
	}
	return s
}
