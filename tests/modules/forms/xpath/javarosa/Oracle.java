import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Date;
import java.util.StringJoiner;
import org.javarosa.core.model.FormDef;
import org.javarosa.core.model.condition.EvaluationContext;
import org.javarosa.core.model.instance.InstanceInitializationFactory;
import org.javarosa.core.model.instance.TreeReference;
import org.javarosa.model.xform.XFormsModule;
import org.javarosa.xform.util.XFormUtils;
import org.javarosa.xpath.XPathNodeset;
import org.javarosa.xpath.XPathParseTool;
import org.javarosa.xpath.expr.XPathExpression;
import org.javarosa.xpath.expr.XPathFuncExpr;

/**
 * Evaluates expressions: "form TAB path" opens one, a line "place TAB base64(expression)" gives "type TAB base64(value)";
 * with a number behind it, what one evaluation of so many takes.
 */
public class Oracle {
    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        System.setOut(new PrintStream(System.err));
        new XFormsModule().registerModule();
        FormDef form = null;
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        out.println("ready");
        for (String line; (line = in.readLine()) != null; ) {
            String[] parts = line.split("\t");
            if (parts[0].equals("form")) {
                form = XFormUtils.getFormFromInputStream(new FileInputStream(parts[1]));
                form.initialize(true, new InstanceInitializationFactory());
                out.println("ready");
                continue;
            }
            String source = new String(Base64.getDecoder().decode(parts[1]), StandardCharsets.UTF_8);
            EvaluationContext context = new EvaluationContext(form.getEvaluationContext(), place(parts[0]));
            try {
                XPathExpression expression = XPathParseTool.parseXPath(source);
                if (parts.length > 2) {
                    out.println(bench(expression, form, context, Integer.parseInt(parts[2])));
                } else {
                    out.println(said(expression.eval(form.getMainInstance(), context)));
                }
            } catch (Throwable error) {
                out.println(line("error", error.getClass().getSimpleName() + ": " + error.getMessage()));
            }
        }
    }

    /** Nanoseconds of one evaluation: the best of a hundred short rounds, the first of which warm the compiler up. */
    private static String bench(XPathExpression expression, FormDef form, EvaluationContext context, int times) {
        double best = Double.MAX_VALUE;
        for (int round = 0; round < 100; round++) {
            long began = System.nanoTime();
            for (int i = 0; i < Math.max(times / 100, 1); i++) {
                expression.eval(form.getMainInstance(), context);
            }
            best = Math.min(best, (System.nanoTime() - began) / (double) Math.max(times / 100, 1));
        }
        return line("bench", String.valueOf(best));
    }

    private static TreeReference place(String path) {
        TreeReference made = TreeReference.rootRef();
        for (String step : path.substring(1).split("/")) {
            int bracket = step.indexOf('[');
            int at = bracket < 0 ? 0 : Integer.parseInt(step.substring(bracket + 1, step.length() - 1)) - 1;
            made.add(bracket < 0 ? step : step.substring(0, bracket), at);
        }
        return made;
    }

    private static String said(Object value) {
        if (value instanceof XPathNodeset) {
            StringJoiner all = new StringJoiner("\u0001", "", "");
            Object[] nodes = ((XPathNodeset) value).toArgList();
            for (Object node : nodes) {
                all.add(XPathFuncExpr.toString(node));
            }
            return line("nodeset " + nodes.length, all.toString());
        }
        if (value instanceof Double) {
            return line("number", value.toString());
        }
        if (value instanceof Boolean) {
            return line("boolean", value.toString());
        }
        if (value instanceof Date) {
            return line("date", XPathFuncExpr.toString(value));
        }
        return line("string", XPathFuncExpr.toString(value));
    }

    private static String line(String type, String value) {
        return type + "\t" + Base64.getEncoder().encodeToString(String.valueOf(value).getBytes(StandardCharsets.UTF_8));
    }
}
