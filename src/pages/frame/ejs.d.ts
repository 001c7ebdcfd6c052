/** ejs 7 has one default export and brings no types; this is the part of it that we use. */
declare module 'ejs' {
  const ejs: {
    compile(template: string, options: { filename: string }): (locals: object) => string;
  };
  export default ejs;
}
